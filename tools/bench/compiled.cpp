// SPDX-License-Identifier: Apache-2.0
#include "compiled.h"

#include "clock.h"
#include "threads.h"

namespace ingot::bench {
namespace {

ingot_tensor describe(const Tensor& tensor, std::byte* data) {
  ingot_tensor result{};
  result.data = data;
  result.bytes = tensor.bytes().size();
  result.dtype = static_cast<std::int32_t>(tensor.dtype());
  result.rank = static_cast<std::uint32_t>(tensor.rank());
  return result;
}

class CompiledEngine : public Engine {
 public:
  CompiledEngine(std::string so, std::string variant, std::uint32_t threads)
      : so_(std::move(so)), variant_(std::move(variant)), threads_(threads) {
    name = "ingot-" + variant_;
    same_bits = true;
    version = INGOT_VERSION;
    settings = "symbols free, code for x86-64-" + variant_;
  }
  Expected<std::unique_ptr<Contender>> open(const Question& question) override {
    INGOT_ASSIGN(std::unique_ptr<CompiledContender> contender,
                 CompiledContender::open(so_, variant_, question, threads_));
    return std::unique_ptr<Contender>(std::move(contender));
  }

 private:
  std::string so_, variant_;
  std::uint32_t threads_;
};

}  // namespace

CompiledContender::CompiledContender() = default;
CompiledContender::~CompiledContender() = default;

Expected<std::unique_ptr<CompiledContender>> CompiledContender::open(const std::string& so,
                                                                     const std::string& variant,
                                                                     const Question& question,
                                                                     std::uint32_t threads) {
  std::unique_ptr<CompiledContender> made(new CompiledContender);
  const double begin = seconds_now();
  made->model_ = LoadedModel::load(so.c_str(), nullptr, variant.c_str());
  made->load_ms = (seconds_now() - begin) * 1e3;
  if (!made->model_.ok()) return fail(ErrorCode::unsupported, "{}", made->model_.error().c_str());
  const ingot_model& model = *made->model_.descriptor();
  for (std::uint32_t i = 0; i < model.symbols.count; ++i) {
    const auto& symbol = *static_cast<const ingot_symbol*>(ingot_item(&model.symbols, i));
    const auto size = question.sizes.find(symbol.name);
    if (size == question.sizes.end()) {
      return fail(ErrorCode::invalid_argument,
                  "no value for symbol {}; give some with --size {}=...", symbol.name, symbol.name);
    }
    made->symbols_.push_back(size->second);
  }
  for (const Tensor& input : question.inputs) {
    // Inputs are only read.
    made->tensors_.push_back(
        describe(input, const_cast<std::byte*>(input.bytes().data())));  // NOLINT
  }
  for (const TensorType& type : question.outputs) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : type.shape) {
      INGOT_ASSIGN(const std::int64_t size, dim.evaluate(question.sizes));
      shape.push_back(size);
    }
    INGOT_TRY(element_count(shape));
    made->outputs_.emplace_back(type.dtype, std::move(shape));
  }
  for (Tensor& output : made->outputs_)
    made->tensors_.push_back(describe(output, output.mutable_bytes().data()));
  std::uint64_t bytes = 0;
  INGOT_TRY(expected(made->model_.workspace_bytes({made->symbols_.data(), made->symbols_.size()},
                                                  threads, bytes)));
  made->workspace_.resize(bytes);
  made->variant_ = variant;
  const std::size_t inputs = question.inputs.size();
  made->call_ =
      make_call({made->symbols_.data(), made->symbols_.size()}, {made->tensors_.data(), inputs},
                {made->tensors_.data() + inputs, made->outputs_.size()},
                {made->workspace_.data(), made->workspace_.size()});
  if (threads > 1) {
    made->threads_ = std::make_unique<Threads>(threads);
    ingot::Options options;
    options.threads = threads;
    options.parallel_for = Threads::parallel_for;
    options.parallel_user = made->threads_.get();
    add_options(made->call_, options);
  }
  return made;
}

Expected<void> CompiledContender::run() { return expected(model_.run(call_)); }

std::unique_ptr<Engine> compiled_engine(std::string so, const std::string& variant,
                                        std::uint32_t threads) {
  return std::make_unique<CompiledEngine>(std::move(so), variant, threads);
}

}  // namespace ingot::bench
