// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace ingot::bench {
namespace {

constexpr std::uint32_t interface_version = 1;
constexpr std::size_t cache_line = 64;

// A plug-in's own libraries come first for it: this program links an LLVM and a protobuf, and so do
// some of the engines. The sanitizers, which replace functions for all, do not allow it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int own_first = 0;
#else
constexpr int own_first = RTLD_DEEPBIND;
#endif

/// Sends stderr nowhere: TensorFlow greets there while it is loaded, and cannot be told not to.
class Silence {
 public:
  Silence() : kept_(::dup(STDERR_FILENO)) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (kept_ >= 0 && nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) ::close(nowhere);
  }
  ~Silence() {
    if (kept_ < 0) return;
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int kept_;
};

void* load_silently(const std::string& path) {
  const Silence silence;
  // Never unloaded, because engines leave threads and handlers behind.
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | own_first);
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

/// A tensor's numbers where every engine may read them without a copy of its own.
struct AlignedTensor {
  AlignedTensor(std::string name, const Tensor& tensor)
      : name(std::move(name)), dense(tensor.dense()) {
    const std::size_t bytes = dense.bytes().size();
    memory.reset(std::aligned_alloc(cache_line, (bytes / cache_line + 1) * cache_line));
    INGOT_CHECK(memory != nullptr, "no memory for an input of {} bytes", bytes);
    std::memcpy(memory.get(), dense.bytes().data(), bytes);
  }
  ingot_peer_tensor view() const {
    return {name.c_str(),
            static_cast<std::int32_t>(dense.dtype()),
            static_cast<std::uint32_t>(dense.rank()),
            dense.shape().data(),
            memory.get(),
            dense.bytes().size()};
  }

  std::string name;
  Tensor dense;
  std::unique_ptr<void, Free> memory;
};

struct Described {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  ingot_peer_tensor view() const {
    return {name.c_str(),
            static_cast<std::int32_t>(dtype),
            static_cast<std::uint32_t>(shape.size()),
            shape.data(),
            nullptr,
            0};
  }
};

class PluginContender : public Contender {
 public:
  explicit PluginContender(const ingot_peer& plugin) : plugin_(plugin) {}
  ~PluginContender() override {
    if (session_ != nullptr) plugin_.close(session_);
  }

  Expected<void> open(const std::string& path, const std::string& settings,
                      const Question& question) {
    path_ = path;
    settings_ = settings;
    inputs_.reserve(question.inputs.size());
    for (std::size_t i = 0; i < question.inputs.size(); ++i) {
      inputs_.emplace_back(question.input_names[i], question.inputs[i]);
      input_views_.push_back(inputs_.back().view());
    }
    outputs_.reserve(question.outputs.size());
    for (std::size_t i = 0; i < question.outputs.size(); ++i) {
      Described output{question.output_names[i], question.outputs[i].dtype, {}};
      for (const Dim& dim : question.outputs[i].shape) {
        const std::optional<std::int64_t> size = dim.value();
        INGOT_CHECK(size.has_value(), "an output of free shape");
        output.shape.push_back(*size);
      }
      outputs_.push_back(std::move(output));
      output_views_.push_back(outputs_.back().view());
    }
    const ingot_peer_model model{
        path_.c_str(),        settings_.c_str(),
        input_views_.data(),  static_cast<std::uint32_t>(input_views_.size()),
        output_views_.data(), static_cast<std::uint32_t>(output_views_.size())};
    const auto begin = std::chrono::steady_clock::now();
    session_ = plugin_.open(&model, said_.data(), said_.size());
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - begin;
    if (session_ == nullptr) return failure("cannot open the model");
    load_ms = passed.count();
    return {};
  }

  Expected<void> run() override {
    if (plugin_.run(session_, said_.data(), said_.size()) == 0) return {};
    return failure("a call failed");
  }

  Expected<std::vector<Tensor>> outputs() override {
    std::vector<Tensor> results;
    for (std::uint32_t i = 0; i < outputs_.size(); ++i) {
      ingot_peer_tensor view = output_views_[i];
      if (plugin_.output(session_, i, &view) != 0)
        return fail(ErrorCode::runtime, "{}: no result '{}'", plugin_.name, outputs_[i].name);
      const std::vector<std::int64_t> shape(view.shape, view.shape + view.rank);
      INGOT_ASSIGN(const std::int64_t elements, element_count(shape));
      if (view.dtype != static_cast<std::int32_t>(outputs_[i].dtype) || view.data == nullptr ||
          view.bytes != static_cast<std::uint64_t>(elements) * bytes_of(outputs_[i].dtype)) {
        return fail(ErrorCode::runtime, "{}: '{}' is of another type than in the model",
                    plugin_.name, outputs_[i].name);
      }
      const auto* bytes = static_cast<const std::byte*>(view.data);
      results.emplace_back(outputs_[i].dtype, shape,
                           std::vector<std::byte>(bytes, bytes + view.bytes));
    }
    return results;
  }

  Expected<std::vector<double>> measure(double seconds) override {
    if (plugin_.measure == nullptr) return std::vector<double>();
    std::vector<double> times(1 << 16);
    const std::int64_t count =
        plugin_.measure(session_, seconds, times.data(), times.size(), said_.data(), said_.size());
    if (count < 0) return failure("the measurement failed");
    if (static_cast<std::size_t>(count) > times.size())
      return fail(ErrorCode::runtime, "{}: {} times came back", plugin_.name, count);
    times.resize(static_cast<std::size_t>(count));
    return times;
  }

 private:
  Error failure(std::string_view otherwise) {
    said_.back() = '\0';
    const std::string said = said_.front() == '\0' ? std::string(otherwise) : said_.data();
    said_.front() = '\0';
    return fail(ErrorCode::runtime, "{}: {}", plugin_.name, said.substr(0, said.find('\n')));
  }

  const ingot_peer& plugin_;
  std::string path_, settings_;
  std::vector<AlignedTensor> inputs_;
  std::vector<Described> outputs_;
  std::vector<ingot_peer_tensor> input_views_, output_views_;
  std::array<char, 4096> said_ = {};
  void* session_ = nullptr;
};

}  // namespace

Expected<const ingot_peer*> load_plugin(const std::string& path) {
  void* const library = load_silently(path);
  if (library == nullptr) return fail(ErrorCode::io, "cannot load the plug-in: {}", ::dlerror());
  const auto* plugin = static_cast<const ingot_peer*>(::dlsym(library, "ingot_peer_plugin"));
  if (plugin == nullptr)
    return fail(ErrorCode::unsupported, "'{}' has no symbol ingot_peer_plugin", path);
  if (plugin->version != interface_version) {
    return fail(ErrorCode::unsupported,
                "'{}' is of version {} of the interface, this program of {}; run ./dev peers-setup",
                path, plugin->version, interface_version);
  }
  return plugin;
}

Expected<std::unique_ptr<Contender>> open_plugin(const ingot_peer& plugin, const std::string& path,
                                                 const std::string& settings,
                                                 const Question& question) {
  auto contender = std::make_unique<PluginContender>(plugin);
  INGOT_TRY(contender->open(path, settings, question));
  return std::unique_ptr<Contender>(std::move(contender));
}

}  // namespace ingot::bench
