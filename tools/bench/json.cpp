// SPDX-License-Identifier: Apache-2.0
// A report and a machine as JSON. What is written and what is read is one list of fields per type.
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>

#include "report.h"

namespace ingot::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format_version = 1;

/// T, to be read, or const T, to be written.
template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template <class V, Is<Figures> T>
void fields(V& visit, T& x) {
  visit("median_us", x.median);
  visit("low_us", x.low);
  visit("high_us", x.high);
  visit("mean_us", x.mean);
  visit("deviation_us", x.deviation);
  visit("least_us", x.least);
  visit("uncertainty_us", x.uncertainty);
  visit("samples", x.samples);
  visit("calls", x.calls);
  visit("steady", x.steady);
  visit.unless_empty("times_us", x.times);
}

template <class V, Is<KernelFigures> T>
void fields(V& visit, T& x) {
  visit("name", x.name);
  visit("kind", x.kind);
  visit("source", x.source);
  visit("us", x.us);
  visit("operations", x.operations);
  visit("bytes", x.bytes);
  visit("weights_bytes", x.weights_bytes);
  visit("limit_us", x.limit_us);
  visit("bound_by_bytes", x.bound_by_bytes);
}

template <class V, Is<Profile> T>
void fields(V& visit, T& x) {
  visit("engine", x.engine);
  visit("level", x.level);
  visit("total_us", x.total_us);
  visit("plain_us", x.plain_us);
  visit("kernels", x.kernels);
}

template <class V, Is<Result> T>
void fields(V& visit, T& x) {
  visit("engine", x.engine);
  visit.unless_empty("error", x.error);
  visit("load_ms", x.load_ms);
  visit("first_ms", x.first_ms);
  visit.unless_empty("hot", x.hot);
  visit.unless_empty("cold", x.cold);
  visit("agreement", x.agreement);
  visit("difference", x.difference);
  visit.unless_empty("note", x.note);
  visit.unless_empty("doubt", x.doubt);
}

template <class V, Is<Run> T>
void fields(V& visit, T& x) {
  visit("sizes", x.sizes);
  visit("events", x.events);
  visit("inputs", x.inputs);
  visit("results", x.results);
  visit.unless_empty("profile", x.profile);
}

template <class V, Is<ModelReport> T>
void fields(V& visit, T& x) {
  visit("name", x.name);
  visit("file", x.file);
  visit("weights_bytes", x.weights_bytes);
  visit("multiply_adds", x.multiply_adds);
  visit.unless_empty("error", x.error);
  visit("runs", x.runs);
}

template <class V, Is<EngineReport> T>
void fields(V& visit, T& x) {
  visit("name", x.name);
  visit("version", x.version);
  visit("settings", x.settings);
}

template <class V, Is<Machine::Level> T>
void fields(V& visit, T& x) {
  visit("name", x.name);
  visit("bytes", x.bytes);
  visit("read_gb_s", x.read_gb_s);
}

template <class V, Is<Machine> T>
void fields(V& visit, T& x) {
  visit("cpu", x.cpu);
  visit("date", x.date);
  visit("cores", x.cores);
  visit("peak_gflops", x.peak_gflops);
  visit("levels", x.levels);
  visit("call_ns", x.call_ns);
  visit("clock_ns", x.clock_ns);
}

template <class V, Is<Report> T>
void fields(V& visit, T& x) {
  visit("date", x.date);
  visit("ingot_version", x.ingot_version);
  visit("threads", x.threads);
  visit("machine", x.machine);
  visit("engines", x.engines);
  visit("models", x.models);
}

template <class T>
bool is_empty(const std::optional<T>& value) {
  return !value;
}
template <class T>
bool is_empty(const T& value) {
  return value.empty();
}

struct Writer {
  Json object = Json::object();

  template <class T>
  void operator()(const char* key, const T& value) {
    object[key] = json(value);
  }
  template <class T>
  void unless_empty(const char* key, const T& value) {
    if (!is_empty(value)) object[key] = json(value);
  }

  template <class T>
  static Json json(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return value;  // what is not finite becomes null
    } else {
      Writer writer;
      fields(writer, value);
      return std::move(writer.object);
    }
  }
  template <class T>
  static Json json(const std::optional<T>& value) {
    return json(*value);
  }
  template <class T>
  static Json json(const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) array.push_back(json(value));
    return array;
  }
  template <class T, class L>
  static Json json(const std::map<std::string, T, L>& values) {
    Json map = Json::object();
    for (const auto& [key, value] : values) map[key] = value;
    return map;
  }
};

/// Keeps the first error. `place` is where in the file it is: `models[3].runs[0]`.
class Reader {
 public:
  Reader(const Json& object, std::string place, std::string& error)
      : object_(object), place_(std::move(place)), error_(error) {
    if (!object.is_object()) complain(place_, "an object", object);
  }

  template <class T>
  void operator()(const char* key, T& value) {
    if (!error_.empty()) return;
    const auto found = object_.find(key);
    if (found == object_.end())
      error_ = fmt::format("{}has no field '{}'", place_.empty() ? "" : place_ + " ", key);
    else
      read(*found, place_.empty() ? key : place_ + "." + key, value);
  }
  template <class T>
  void unless_empty(const char* key, T& value) {
    if (error_.empty() && object_.contains(key)) (*this)(key, value);
  }

 private:
  void complain(const std::string& place, std::string_view wanted, const Json& got) {
    if (!error_.empty()) return;
    error_ =
        fmt::format("{} must be {}, not {}", place.empty() ? "the file" : place, wanted,
                    got.is_structured() ? got.type_name()
                                        : got.dump(-1, ' ', true, Json::error_handler_t::replace));
  }

  template <class T>
  void read(const Json& json, const std::string& place, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) return complain(place, "true or false", json);
      value = json.get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      read_integer(json, place, value);
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!json.is_number() && !json.is_null()) return complain(place, "a number", json);
      value = json.is_null() ? std::numeric_limits<T>::quiet_NaN() : json.get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) return complain(place, "a text", json);
      value = json.get<std::string>();
    } else {
      Reader reader(json, place, error_);
      fields(reader, value);
    }
  }
  template <class T>
  void read_integer(const Json& json, const std::string& place, T& value) {
    using Limits = std::numeric_limits<T>;
    const bool fits =
        json.is_number_unsigned()
            ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(Limits::max())
            : json.is_number_integer() && Limits::is_signed &&
                  json.get<std::int64_t>() >= static_cast<std::int64_t>(Limits::min());
    if (!fits) return complain(place, fmt::format("a whole number up to {}", Limits::max()), json);
    value = json.get<T>();
  }
  template <class T>
  void read(const Json& json, const std::string& place, std::optional<T>& value) {
    read(json, place, value.emplace());
  }
  template <class T>
  void read(const Json& json, const std::string& place, std::vector<T>& values) {
    if (!json.is_array()) return complain(place, "an array", json);
    for (std::size_t i = 0; i < json.size() && error_.empty(); ++i)
      read(json[i], fmt::format("{}[{}]", place, i), values.emplace_back());
  }
  template <class T, class L>
  void read(const Json& json, const std::string& place, std::map<std::string, T, L>& values) {
    if (!json.is_object()) return complain(place, "an object", json);
    for (const auto& [key, value] : json.items()) read(value, place + "." + key, values[key]);
  }

  const Json& object_;
  std::string place_;
  std::string& error_;
};

template <class T>
std::string write(const char* kind, const T& value) {
  Writer writer;
  writer(kind, format_version);
  fields(writer, value);
  return writer.object.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class T>
Expected<T> read(const char* kind, const std::string& text, const std::string& path) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: .."
    const std::string_view what = error.what();
    const std::size_t end = what.find("] ");
    return fail(ErrorCode::invalid_argument, "{}: {}; is it a whole file?", path,
                end == std::string_view::npos ? what : what.substr(end + 2));
  }
  std::string error;
  int version = 0;
  if (!json.is_object() || !json.contains(kind))
    return fail(ErrorCode::invalid_argument, "{}: no field '{}', so it is not what ingot wrote",
                path, kind);
  Reader reader(json, "", error);
  reader(kind, version);
  if (error.empty() && version != format_version)
    return fail(ErrorCode::invalid_argument, "{}: {} is {}, and this version of ingot reads {}",
                path, kind, version, format_version);
  T value;
  fields(reader, value);
  if (!error.empty()) return fail(ErrorCode::invalid_argument, "{}: {}", path, error);
  return value;
}

}  // namespace

std::string to_json(const Report& report) { return write("ingot_report", report); }

Expected<Report> report_from_json(const std::string& text, const std::string& path) {
  return read<Report>("ingot_report", text, path);
}

std::string to_json(const Machine& machine) { return write("ingot_machine", machine); }

Expected<Machine> machine_from_json(const std::string& text, const std::string& path) {
  return read<Machine>("ingot_machine", text, path);
}

}  // namespace ingot::bench
