// SPDX-License-Identifier: Apache-2.0
#include "peers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "child.h"
#include "plugin.h"

namespace ingot::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// prepare.py stops at 300 s and says so; this is for a prepare.py that does not.
constexpr double preparation_seconds = 330;
// Engines with several settings are tried for so long, each, to find the fastest.
constexpr double trial_seconds = 0.15;

struct Kind {
  std::string folder, key, plugin;
  std::vector<std::string> prepare;
  std::vector<Json> candidates;                    // settings
  std::map<std::string, std::string> environment;  // read by the engine's library as it is loaded
};

Expected<Json> read_json(const std::string& path) {
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  Json json = Json::parse(text, text + bytes.size(), nullptr, false);
  if (json.is_discarded()) return fail(ErrorCode::invalid_argument, "'{}' is not JSON", path);
  return json;
}

Json shape_of(const TensorType& type) {
  Json shape = Json::array();
  for (const Dim& dim : type.shape) {
    const std::optional<std::int64_t> size = dim.value();
    shape.push_back(size ? Json(*size) : Json(dim.str()));
  }
  return shape;
}

Json request_of(const Kind& kind, const Json& settings, const Question& question) {
  Json inputs = Json::array(), outputs = Json::array();
  for (std::size_t i = 0; i < question.inputs.size(); ++i) {
    const Tensor& value = question.inputs[i];
    inputs.push_back({{"name", question.input_names[i]},
                      {"dtype", info(value.dtype()).long_name},
                      {"shape", value.shape()},
                      {"declared", i < question.declared.size() ? shape_of(question.declared[i])
                                                                : Json(value.shape())}});
  }
  for (std::size_t i = 0; i < question.outputs.size(); ++i) {
    outputs.push_back({{"name", question.output_names[i]},
                       {"dtype", info(question.outputs[i].dtype).long_name},
                       {"shape", shape_of(question.outputs[i])}});
  }
  return {{"engine", kind.key},
          {"model", fs::absolute(question.model).string()},
          {"inputs", inputs},
          {"outputs", outputs},
          {"constants", question.constants},
          {"options", settings.value("prepare", Json::object())}};
}

/// The path of the file that the engine opens.
Expected<std::string> prepare(const Kind& kind, const Json& settings, const Question& question) {
  INGOT_ASSIGN(const TemporaryFolder work, TemporaryFolder::make());
  const std::string request = work.file("request.json"), answer = work.file("answer.json");
  INGOT_TRY(write_file(request, request_of(kind, settings, question).dump()));
  std::vector<std::string> command = kind.prepare;
  command.insert(command.end(), {kind.folder + "/peers.json", request, answer});
  INGOT_TRY(run_child(command, preparation_seconds));
  INGOT_ASSIGN(const Json answered, read_json(answer));
  const auto path = answered.find("path");
  if (path == answered.end() || !path->is_string())
    return fail(ErrorCode::runtime, "the preparation answered no path");
  return path->get<std::string>();
}

/// The least time of a call of each, called in turn. Engines that are timed by a tool of their own
/// say it themselves.
Expected<std::vector<double>> least_times(std::vector<std::unique_ptr<Contender>>& contenders) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> least(contenders.size(), std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    INGOT_TRY(contenders[i]->run());
    INGOT_ASSIGN(const std::vector<double> times, contenders[i]->measure(trial_seconds));
    if (!times.empty()) least[i] = *std::min_element(times.begin(), times.end());
  }
  if (std::isfinite(least.front())) return least;
  const auto end = Clock::now() + std::chrono::duration<double>(
                                      trial_seconds * static_cast<double>(contenders.size()));
  for (int round = 0; round < 3 || Clock::now() < end; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const auto begin = Clock::now();
      INGOT_TRY(contenders[i]->run());
      least[i] = std::min(least[i],
                          std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
  }
  return least;
}

class Peer : public Engine {
 public:
  explicit Peer(Kind kind) : kind_(std::move(kind)) {}

  Expected<std::unique_ptr<Contender>> open(const Question& question) override {
    if (plugin_ == nullptr) {
      for (const auto& [name, value] : kind_.environment)
        ::setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
      INGOT_ASSIGN(plugin_, load_plugin(kind_.plugin));
    }
    std::vector<std::unique_ptr<Contender>> opened;
    std::vector<std::string> labels;
    std::optional<Error> refused;
    for (const Json& settings : kind_.candidates) {
      Expected<std::unique_ptr<Contender>> contender = open(settings, question);
      const Expected<void> called = contender ? (*contender)->run() : contender.error();
      if (called) {
        opened.push_back(*std::move(contender));
        labels.push_back(settings.value("label", ""));
      } else if (!refused) {
        refused = called.error();
      }
    }
    if (opened.empty()) return *refused;
    std::size_t best = 0;
    if (opened.size() > 1) {
      INGOT_ASSIGN(const std::vector<double> least, least_times(opened));
      best = static_cast<std::size_t>(std::min_element(least.begin(), least.end()) - least.begin());
    }
    opened[best]->note = labels[best];
    return std::move(opened[best]);
  }

 private:
  Expected<std::unique_ptr<Contender>> open(const Json& settings, const Question& question) {
    INGOT_ASSIGN(const std::string path, prepare(kind_, settings, question));
    return open_plugin(*plugin_, path, settings.dump(), question);
  }

  Kind kind_;
  const ingot_peer* plugin_ = nullptr;
};

Expected<std::unique_ptr<Engine>> make_peer(const Json& json, const Json& prepare,
                                            const std::string& folder) {
  Kind kind{folder,
            json.at("key"),
            json.at("plugin"),
            prepare,
            json.at("candidates"),
            json.value("environment", std::map<std::string, std::string>())};
  if (kind.candidates.empty() || kind.prepare.empty())
    return fail(ErrorCode::invalid_argument, "an engine without settings or without a preparation");
  if (fs::path(kind.plugin).is_relative()) kind.plugin = folder + "/" + kind.plugin;
  auto peer = std::make_unique<Peer>(std::move(kind));
  peer->name = json.at("key");
  peer->version = json.at("version");
  peer->settings = json.at("summary");
  return std::unique_ptr<Engine>(std::move(peer));
}

}  // namespace

std::string peers_folder(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* said = std::getenv("INGOT_PEERS"); said != nullptr && *said != '\0') return said;
  const std::string built = "build/peers";
  return fs::exists(built + "/peers.json") ? built : std::string();
}

Expected<std::vector<std::unique_ptr<Engine>>> find_peers(const std::string& folder,
                                                          std::span<const std::string> names) {
  const std::string path = fs::absolute(folder).string() + "/peers.json";
  if (!fs::exists(path)) {
    return fail(ErrorCode::io, "no peers in '{}': ./dev peers-setup makes {}", folder, path);
  }
  INGOT_ASSIGN(const Json json, read_json(path));
  std::vector<std::unique_ptr<Engine>> all, chosen;
  try {
    for (const Json& engine : json.at("engines")) {
      INGOT_ASSIGN(std::unique_ptr<Engine> peer,
                   make_peer(engine, json.at("prepare"), fs::absolute(folder).string()));
      all.push_back(std::move(peer));
    }
  } catch (const Json::exception& broken) {
    return fail(ErrorCode::invalid_argument, "'{}': {}; run ./dev peers-setup again", path,
                broken.what());
  }
  if (names.empty()) return all;
  for (const std::string& name : names) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& engine) {
      return engine != nullptr && engine->name == name;
    });
    if (found == all.end())
      return fail(ErrorCode::invalid_argument, "'{}' lists no engine '{}'", path, name);
    chosen.push_back(std::move(*found));
  }
  return chosen;
}

}  // namespace ingot::bench
