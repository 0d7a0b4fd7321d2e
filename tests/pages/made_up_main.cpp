// SPDX-License-Identifier: Apache-2.0
// made_up_report [SEED]: prints the JSON of a made-up report.
#include <cstdio>
#include <cstdlib>

#include "made_up_report.h"

int main(int argc, char** argv) {
  const unsigned seed = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;
  std::fputs(ingot::bench::to_json(ingot::bench::made_up_report(seed)).c_str(), stdout);
}
