/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "scale.h"

int main(void) {
  const ingot_model* model = scale_model();
  const ingot_variant* variant = ingot_item(&model->variants, 0);
  return printf("%s %s\n", model->name, variant->name) < 0;
}
