// SPDX-License-Identifier: Apache-2.0
#include "caches.h"

#include <fstream>
#include <string>

namespace ingot::bench {

Caches caches() {
  Caches found;
  for (int index = 0;; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream level_file(folder + "level"), type_file(folder + "type"),
        size_file(folder + "size");
    int level = 0;
    std::string type, unit;
    std::uint64_t size = 0;
    if (!(level_file >> level) || !(type_file >> type)) return found;
    if (type == "Instruction" || !(size_file >> size >> unit) || size == 0) continue;
    const std::uint64_t bytes = size << (unit == "M" ? 20 : 10);  // "32K" as the kernel writes it
    if (level == 1) found.l1 = bytes;
    if (level == 2) found.l2 = bytes;
    if (level == 3) found.l3 = bytes;
  }
}

}  // namespace ingot::bench
