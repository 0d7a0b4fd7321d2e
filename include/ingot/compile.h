// SPDX-License-Identifier: Apache-2.0
// The compiler as a library: what `ingot compile` does, in the caller's process. A model comes from
// a file or from memory; what is made of it goes to memory, to files, or is loaded and called at
// once. docs/integration.md shows how to link it.
//
// Threads. Every function may be called by any number of threads at the same time, and nothing is
// kept between calls. Only the making of NAME.so (Options::shared) is done by one at a time.
//
// Failures are values. Nothing throws, prints, aborts or exits, whatever the model's bytes are.
// Only when memory runs out inside LLVM the process may end: LLVM cannot go on after that. The
// library sets the process' handler of LLVM's fatal errors, which it shares with whoever else uses
// LLVM 19 in the process, and it stays in memory when dlclose() is called on it.
//
// Memory. All that is returned is the caller's.
#ifndef INGOT_COMPILE_H
#define INGOT_COMPILE_H

#include <ingot/load.h>
#include <ingot/span.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ingot::compiler {

/// Kinds of failures; the value is what the program `ingot` exits with. docs/cli.md has the table.
enum class Code {
  mismatch = 1,
  invalid_argument = 2,  // an option is malformed, or does not fit the model
  invalid_model = 3,     // the model breaks its own format's rules
  unsupported = 4,       // valid, but Ingot cannot compile it yet: the message has all that is
  io = 5,                // a file cannot be read or written
  limit = 6,  // a size is beyond what can be represented, was declared, or fits in memory
  runtime = 7,
  internal = 70,  // a bug in Ingot; please report it with the model
};

struct Error {
  Code code = Code::internal;
  std::string message;  // what, where and what next; may have several lines
  int exit_status() const noexcept { return static_cast<int>(code); }
};

/// A T, or the Error that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  /// Needs: ok().
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }
  /// Needs: not ok().
  const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

/// What the flags of `ingot compile` say, in the same words; docs/cli.md has their meaning.
struct Options {
  std::string name;                    // of files, namespace, symbols; "": from the file's
  std::vector<std::string> inputs;     // "x=f32[N,27]"
  std::vector<std::string> constants;  // "training=false"
  std::vector<std::string> outputs;    // "probabilities"
  std::vector<std::string> dims;       // "N=4", "N=1:64"
  std::vector<std::string> variants;   // "N=1", "N=1,n_pf=50": one each
  /// Of a SavedModel; "": "serve" and "serving_default". Several signatures with commas between
  /// them become models of one object.
  std::string tag, signature;
  std::string isa;                           // "v3,v4"; "": these two
  std::string instrument;                    // "thread" or "address"; "": neither
  std::vector<std::string> disabled_passes;  // "fold-scales"
  std::optional<int> pass_limit;
  bool shared = false;  // also make NAME.so
};

/// A compiled model: the files of `ingot compile` as bytes, which depend on nothing but the model,
/// the options and the version of Ingot.
struct Compiled {
  std::string name;
  std::vector<std::byte> object;   // NAME.o
  std::string header;              // NAME.h
  std::string manifest;            // NAME.json
  std::string plan;                // NAME.plan, which the object's line table points into
  std::vector<std::byte> shared;   // NAME.so, if asked for
  std::vector<std::string> files;  // what it was read from: the model, then files of its tensors
};

/// "0.1.0": of the library that is linked, where INGOT's headers may be others.
const char* version() noexcept;

/// Compiles the model in a file (ONNX, a frozen TensorFlow GraphDef or Ingot's text form), or the
/// SavedModel in a folder.
Result<Compiled> compile_file(const std::string& path, const Options& options = {}) noexcept;

/// Compiles the model that these bytes are. `source` stands in the header for the name of the file,
/// and is where the model's name comes from if the options have none. An ONNX model that keeps
/// tensors in other files has to be compiled by its path.
Result<Compiled> compile_bytes(Span<const std::byte> model, const std::string& source,
                               const Options& options = {}) noexcept;

/// What to write besides NAME.h and NAME.json.
struct Emit {
  bool object = true;
  bool shared = false;  // needs Options::shared
  bool plan = false;
};

/// Writes the files to a folder, which is made if it is not there. Each appears under its name only
/// when it is complete. Answers their paths.
Result<std::vector<std::string>> write_files(const Compiled& model, const std::string& folder,
                                             Emit emit = {}) noexcept;

/// A rule of make: `made` depend on the files that the model was read from.
Result<std::string> make_rule(const std::vector<std::string>& made, const Compiled& model) noexcept;

/// Loads a model that was compiled with Options::shared into this process, without a file: ready to
/// be called as one of a NAME.so. `variant` and `which` of several models: as LoadedModel::load()
/// takes them.
inline LoadedModel load(const Compiled& model, const char* variant = nullptr,
                        const char* which = nullptr) noexcept {
  return LoadedModel::load_bytes(model.shared, model.name.c_str(), which, variant);
}

}  // namespace ingot::compiler
#endif
