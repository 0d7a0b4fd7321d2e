// SPDX-License-Identifier: Apache-2.0
// The engines of others, as `./dev peers-setup` has built them: plug-ins behind bench/peers/peer.h,
// and a program that makes of a model the file that an engine opens.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contender.h"

namespace ingot::bench {

/// `given`, else INGOT_PEERS, else build/peers. Empty if that was not said and is not there.
std::string peers_folder(const std::string& given);

/// The engines that FOLDER/peers.json lists, or those of them that are named, in that order.
/// Nothing is loaded before a model is opened; what is missing or broken is the error of that.
/// Errors: io; invalid_argument for a file that is no such list, or a name that it does not have.
Expected<std::vector<std::unique_ptr<Engine>>> find_peers(const std::string& folder,
                                                          std::span<const std::string> names = {});

}  // namespace ingot::bench
