// SPDX-License-Identifier: Apache-2.0
// A model that is open in an engine behind bench/peers/peer.h.
#pragma once

#include <memory>
#include <string>

#include "bench/peers/peer.h"
#include "contender.h"

namespace ingot::bench {

/// Loads a plug-in, which stays loaded. Errors: io when it cannot be loaded; unsupported when it is
/// none, or of another version of the interface.
Expected<const ingot_peer*> load_plugin(const std::string& path);

/// Opens the file that was prepared for the engine.
/// Errors: runtime, with what the engine said.
Expected<std::unique_ptr<Contender>> open_plugin(const ingot_peer& plugin, const std::string& path,
                                                 const std::string& settings,
                                                 const Question& question);

}  // namespace ingot::bench
