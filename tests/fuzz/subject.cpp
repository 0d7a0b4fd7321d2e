// SPDX-License-Identifier: Apache-2.0
#include "subject.h"

#include <memory>

#include "ops/interpret.h"
#include "passes/pass.h"
#include "tests/sweep/rows.h"

namespace ingot::fuzz {
namespace {

/// Memory with the sanitizer's guard right behind its last byte.
class Exact {
 public:
  explicit Exact(std::size_t size) : size_(size), bytes_(new std::byte[size]) {}
  std::byte* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

ingot_tensor describe(Exact& memory, const TensorType& type) {
  ingot_tensor entry{};
  entry.data = memory.data();
  entry.bytes = memory.size();
  entry.dtype = static_cast<std::int32_t>(type.dtype);
  entry.rank = static_cast<std::uint32_t>(type.rank());
  return entry;
}

/// One task after the other, the last one first: each must do its part whenever it comes.
std::int32_t backwards(void*, std::uint32_t count, ingot_task task, void* context) {
  std::int32_t status = 0;
  for (std::uint32_t i = count; i-- > 0;) {
    if (const std::int32_t answer = task(context, i); answer != 0) status = answer;
  }
  return status;
}

}  // namespace

Expected<Subject> Subject::make(const Graph& imported, const std::vector<int>& levels) {
  Subject subject;
  CompileOptions options;
  options.isa_levels = levels;
  options.instrument = target::Instrument::address;
  options.shared = true;
  // Blocks and forks that models of this size would not have.
  options.plan.block_bytes = 4096;
  options.plan.part_work = 64;
  INGOT_ASSIGN(const Bundle bundle, compile_graph(imported, options, imported.name));
  INGOT_ASSIGN(subject.graph_, passes::optimize(imported));
  INGOT_ASSIGN(TemporaryFolder folder, TemporaryFolder::make());
  subject.folder_.emplace(std::move(folder));
  const std::string path = subject.folder_->file("model.so");
  INGOT_TRY(write_file(path, std::span<const std::byte>(bundle.shared)));
  for (const int level : levels) {
    const std::string variant = fmt::format("v{}", level);
    subject.variants_.push_back(LoadedModel::load(path.c_str(), nullptr, variant.c_str()));
    if (!subject.variants_.back().ok())
      return fail(ErrorCode::internal, "{}", subject.variants_.back().error().c_str());
  }
  return subject;
}

std::string Subject::check(const Call& call) const {
  const auto meant = interpret(graph_, call.inputs, call.symbols);

  std::vector<std::int64_t> symbols;
  for (const Symbol& symbol : graph_.symbols()) symbols.push_back(call.symbols.at(symbol.name));
  std::vector<Exact> memory;
  std::vector<ingot_tensor> tensors;
  for (const Tensor& input : call.inputs) {
    memory.emplace_back(input.bytes().size());
    std::copy(input.bytes().begin(), input.bytes().end(), memory.back().data());
    tensors.push_back(describe(memory.back(), input.type()));
  }
  for (const Output& output : graph_.outputs()) {
    const TensorType& type = graph_.type(output.value);
    std::size_t bytes = bytes_of(type.dtype);
    // Of a call that is refused because of its sizes, an output may have none.
    for (const Dim& dim : type.shape)
      bytes *= static_cast<std::size_t>(std::max<std::int64_t>(*dim.evaluate(call.symbols), 0));
    memory.emplace_back(bytes);
    tensors.push_back(describe(memory.back(), type));
  }
  const LoadedModel& model = variants_[call.variant % variants_.size()];
  std::uint64_t needed = 0;
  Status status = model.workspace_bytes({symbols.data(), symbols.size()}, call.threads, needed);
  if (status.ok()) {
    Exact workspace(needed);
    const std::size_t inputs = call.inputs.size();
    ingot_call request = make_call({symbols.data(), symbols.size()}, {tensors.data(), inputs},
                                   {tensors.data() + inputs, tensors.size() - inputs},
                                   {workspace.data(), workspace.size()});
    if (call.threads > 1) {
      ingot::Options shared;
      shared.threads = call.threads;
      shared.parallel_for = backwards;
      add_options(request, shared);
    }
    status = model.run(request);
  }
  if (!status.ok()) {
    return meant ? fmt::format("is refused: {}", status.message().c_str()) : std::string();
  }
  if (!meant) return "gives results, but the interpreter says: " + meant.error().message;
  for (std::size_t i = 0; i < meant->size(); ++i) {
    const Tensor& wanted = (*meant)[i];
    Exact& bytes = memory[call.inputs.size() + i];
    const Tensor got(wanted.dtype(), wanted.shape(), {bytes.data(), bytes.data() + bytes.size()});
    if (const std::string wrong = sweep::different_bits(got, wanted); !wrong.empty())
      return fmt::format("output {}: {} (interpreter)", i, wrong);
  }
  return {};
}

}  // namespace ingot::fuzz
