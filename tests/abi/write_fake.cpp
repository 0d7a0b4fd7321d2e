// SPDX-License-Identifier: Apache-2.0
// Writes the header of the hand-written model, for the tests that include it, and of kin of it.
// usage: write_fake FILE [HASH [empty|two]]
#include <cstdio>

#include "tests/abi/fake_interface.h"
#include "write/write.h"

int main(int count, char** arguments) {
  if (count < 2) return 2;
  ingot::write::Interface model = ingot::fake_interface();
  if (count > 2) model.hash = arguments[2];
  const bool two = count > 3 && arguments[3][0] == 't';
  if (count > 3 && !two) {  // nothing to choose, to read or to write
    model.name = "nothing";
    model.symbols.clear();
    model.constraints.clear();
    model.inputs.clear();
    model.outputs.clear();
    model.self_tests.clear();
    model.variants[1].pins.clear();
  }
  std::vector<ingot::write::Interface> models{model};
  if (two) models = ingot::fake_interfaces();
  const auto texts = ingot::write::write_texts(two ? "two" : model.name, models);
  std::FILE* file = texts ? std::fopen(arguments[1], "w") : nullptr;
  if (file == nullptr) return 1;
  std::fwrite(texts->header.data(), 1, texts->header.size(), file);
  return std::fclose(file);
}
