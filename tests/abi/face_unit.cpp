// SPDX-License-Identifier: Apache-2.0
// A second translation unit with the generated header, and <ingot/abi.h> and the face beside it.
#include <ingot/face.h>

#include "fake.h"

const fake::Model& model_of_the_other_unit();

const fake::Model& model_of_the_other_unit() {
  static const fake::Model model("plain");
  return model;
}
