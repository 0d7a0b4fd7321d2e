// SPDX-License-Identifier: Apache-2.0
#include "compiled.h"

#include <algorithm>

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
    if (symbol.bound != nullptr && *symbol.bound != '\0') {
      made->symbols_.push_back(-1);
      continue;
    }
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
  made->declared_ = question.declared_outputs;
  made->truth_ = made->symbols_;
  const std::size_t inputs = question.inputs.size();
  made->call_ =
      make_call({made->symbols_.data(), made->symbols_.size()}, {made->tensors_.data(), inputs},
                {made->tensors_.data() + inputs, made->outputs_.size()},
                {made->workspace_.data(), made->workspace_.size()});
  ingot::Options options;
  options.true_symbols = made->truth_.data();
  if (threads > 1) {
    made->threads_ = std::make_unique<Threads>(threads);
    options.threads = threads;
    options.parallel_for = Threads::parallel_for;
    options.parallel_user = made->threads_.get();
  }
  add_options(made->call_, options);
  return made;
}

Tensor first_elements(const Tensor& whole, std::vector<std::int64_t> shape) {
  Tensor part(whole.dtype(), std::move(shape));
  std::copy_n(whole.bytes().begin(), part.bytes().size(), part.mutable_bytes().begin());
  return part;
}

SymbolValues CompiledContender::true_sizes() const {
  SymbolValues sizes;
  const ingot_model& model = *model_.descriptor();
  for (std::uint32_t i = 0; i < model.symbols.count; ++i)
    sizes[static_cast<const ingot_symbol*>(ingot_item(&model.symbols, i))->name] = truth_[i];
  return sizes;
}

Expected<std::vector<Tensor>> CompiledContender::outputs() {
  // With bytes of their own: the next run writes to these.
  std::vector<Tensor> copies;
  const SymbolValues sizes = true_sizes();
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    std::vector<std::int64_t> shape;
    for (const Dim& dim : declared_[i].shape) {
      INGOT_ASSIGN(const std::int64_t size, dim.evaluate(sizes));
      shape.push_back(size);
    }
    copies.push_back(first_elements(outputs_[i], std::move(shape)));
  }
  return copies;
}

Expected<void> CompiledContender::run() { return expected(model_.run(call_)); }

std::unique_ptr<Engine> compiled_engine(std::string so, const std::string& variant,
                                        std::uint32_t threads) {
  return std::make_unique<CompiledEngine>(std::move(so), variant, threads);
}

}  // namespace ingot::bench
