// SPDX-License-Identifier: Apache-2.0
#include "target/optimize.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Transforms/Instrumentation/AddressSanitizer.h>
#include <llvm/Transforms/Instrumentation/ThreadSanitizer.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <mutex>

#include "target/sanitize.h"

namespace ingot::target {
namespace {

constexpr const char* triple = "x86_64-unknown-linux-gnu";

/// LLVM reports what it cannot do through a handler of the process, and exits when that returns.
[[noreturn]] void on_fatal_error(void*, const char* reason, bool) {
  throw InternalError(fmt::format("llvm: {}", reason));
}

void initialize() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    llvm::install_fatal_error_handler(on_fatal_error);
  });
}

/// Keeps the first error that LLVM reports about a module.
struct Diagnostics : llvm::DiagnosticHandler {
  explicit Diagnostics(std::string& text) : first(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() == llvm::DS_Error && first.empty()) {
      llvm::raw_string_ostream stream(first);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
  std::string& first;
};

void optimize(llvm::Module& module, llvm::TargetMachine& machine, Instrument instrument) {
  // Kernels are vectors already: LLVM's scalar passes clean up, and its own vectorizers, which
  // know neither our tails nor our chains, stay away.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.LoopInterleaving = false;
  tuning.SLPVectorization = false;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuning);
  // No library function exists for the code but these three.
  llvm::TargetLibraryInfoImpl library{llvm::Triple(triple)};
  library.disableAllFunctions();
  for (const llvm::LibFunc function :
       {llvm::LibFunc_memcpy, llvm::LibFunc_memmove, llvm::LibFunc_memset}) {
    library.setAvailable(function);
  }
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager pipeline =
      builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
  if (instrument == Instrument::thread) {
    pipeline.addPass(llvm::ModuleThreadSanitizerPass());
    pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(llvm::ThreadSanitizerPass()));
  } else if (instrument == Instrument::address) {
    pipeline.addPass(llvm::AddressSanitizerPass(llvm::AddressSanitizerOptions{}));
  }
  pipeline.run(module, modules);
  if (instrument == Instrument::thread) complete_thread_sanitizer(module);
}

/// What LLVM writes, where it is to stay: an object of hundreds of megabytes is there once.
class ByteStream : public llvm::raw_pwrite_stream {
 public:
  explicit ByteStream(std::vector<std::byte>& bytes) : bytes_(bytes) { SetUnbuffered(); }

 private:
  void write_impl(const char* from, std::size_t size) override {
    const auto* first = reinterpret_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  void pwrite_impl(const char* from, std::size_t size, std::uint64_t offset) override {
    std::memcpy(bytes_.data() + offset, from, size);
  }
  std::uint64_t current_pos() const override { return bytes_.size(); }

  std::vector<std::byte>& bytes_;
};

std::vector<std::byte> translate(llvm::Module& module, llvm::TargetMachine& machine,
                                 llvm::CodeGenFileType type) {
  // Room for the constants, so that it is not copied while it grows.
  std::size_t room = 0;
  for (const llvm::GlobalVariable& global : module.globals())
    room += module.getDataLayout().getTypeAllocSize(global.getValueType());
  std::vector<std::byte> bytes;
  bytes.reserve(room + (std::size_t{1} << 20));
  ByteStream stream(bytes);
  llvm::legacy::PassManager passes;
  INGOT_CHECK(!machine.addPassesToEmitFile(passes, stream, nullptr, type),
              "llvm cannot write this kind of file");
  passes.run(module);
  return bytes;
}

}  // namespace

std::unique_ptr<llvm::TargetMachine> make_machine() {
  initialize();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  INGOT_CHECK(target != nullptr, "llvm: {}", error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion =
      llvm::FPOpFusion::Strict;  // never a multiply-add that we did not ask for
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, "x86-64-v2", "", options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

Expected<Object> finish(llvm::Module& module, llvm::TargetMachine& machine,
                        const Options& options) {
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  INGOT_CHECK(!llvm::verifyModule(module, &stream), "llvm's verifier: {}", stream.str());
  std::string diagnosed;
  module.getContext().setDiagnosticHandler(std::make_unique<Diagnostics>(diagnosed));

  optimize(module, machine, options.instrument);
  Object object;
  if (options.want_llvm_text) {
    llvm::raw_string_ostream text(object.llvm_text);
    module.print(text, nullptr);
  }
  if (options.want_assembly_text) {
    const auto copy = llvm::CloneModule(module);
    const auto text = translate(*copy, machine, llvm::CodeGenFileType::AssemblyFile);
    object.assembly_text.assign(reinterpret_cast<const char*>(text.data()), text.size());
  }
  object.elf = translate(module, machine, llvm::CodeGenFileType::ObjectFile);
  INGOT_CHECK(diagnosed.empty(), "llvm: {}", diagnosed);
  return object;
}

void emit_blob(llvm::Module& module, const ConstantBlob& blob) {
  llvm::LLVMContext& context = module.getContext();
  auto* global = new llvm::GlobalVariable(
      module, llvm::ArrayType::get(llvm::Type::getInt8Ty(context), blob.bytes.size()), true,
      llvm::GlobalValue::ExternalLinkage, nullptr, "");
  const std::uint64_t end = std::min<std::uint64_t>(blob.texts, blob.bytes.size());
  llvm::GlobalVariable* texts = nullptr;
  if (end < blob.bytes.size()) {
    auto* value = llvm::ConstantDataArray::get(
        context,
        llvm::ArrayRef<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(blob.bytes.data()) + end,
                                     blob.bytes.size() - end));
    texts =
        new llvm::GlobalVariable(module, value->getType(), true, llvm::GlobalValue::InternalLinkage,
                                 value, blob.name + ".texts");
  }
  // Addresses are counted from the global itself, whose type is only known when they are there.
  std::vector<llvm::Constant*> parts;
  auto bytes_until = [&](std::uint64_t from, std::uint64_t to) {
    if (from == to) return;
    parts.push_back(llvm::ConstantDataArray::get(
        context, llvm::ArrayRef<std::uint8_t>(
                     reinterpret_cast<const std::uint8_t*>(blob.bytes.data()) + from, to - from)));
  };
  std::uint64_t done = 0;
  for (const Relocation& relocation : blob.relocations) {
    INGOT_CHECK(relocation.offset >= done && relocation.offset + 8 <= end,
                "relocation at {} of '{}' is misplaced", relocation.offset, blob.name);
    bytes_until(done, relocation.offset);
    llvm::Constant* base = global;
    std::uint64_t addend = relocation.addend;
    if (relocation.symbol.empty() && addend >= end) {
      base = texts;
      addend -= end;
    } else if (!relocation.symbol.empty()) {
      base = module.getNamedValue(relocation.symbol);
      INGOT_CHECK(base != nullptr, "'{}' points to '{}', which is not in the object", blob.name,
                  relocation.symbol);
    }
    parts.push_back(llvm::ConstantExpr::getInBoundsGetElementPtr(
        llvm::Type::getInt8Ty(context), base,
        llvm::ConstantInt::get(llvm::Type::getInt64Ty(context), addend)));
    done = relocation.offset + 8;
  }
  bytes_until(done, end);
  llvm::Constant* value = llvm::ConstantStruct::getAnon(context, parts, true);
  auto* whole = new llvm::GlobalVariable(module, value->getType(), true,
                                         llvm::GlobalValue::ExternalLinkage, value, blob.name);
  whole->setAlignment(llvm::Align(std::max<std::uint64_t>(blob.alignment, 8)));
  // Redzones of the address sanitizer would move what a header reads.
  llvm::GlobalValue::SanitizerMetadata plain;
  plain.NoAddress = true;
  whole->setSanitizerMetadata(plain);
  if (texts != nullptr) texts->setSanitizerMetadata(plain);
  global->replaceAllUsesWith(whole);
  global->eraseFromParent();
}

}  // namespace ingot::target
