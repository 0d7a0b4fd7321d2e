// SPDX-License-Identifier: Apache-2.0
// Plans become a module: the weights once, then of each model the checks once, for each instruction
// set the kernels and the two entries, and the descriptor that names them.
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/Object/ELF.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "target/contract.h"
#include "target/emitter.h"
#include "target/entry.h"
#include "target/kernels.h"
#include "target/optimize.h"
#include "target/target.h"

namespace ingot::target {
namespace {

void emit_work(Emitter& emitter, const plan::Kernel& kernel) {
  std::visit(
      [&](const auto& work) {
        using Work = std::decay_t<decltype(work)>;
        if constexpr (std::is_same_v<Work, plan::Map>) {
          emit_map(emitter, kernel, work);
        } else if constexpr (std::is_same_v<Work, plan::Row>) {
          emit_row(emitter, kernel, work);
        } else if constexpr (std::is_same_v<Work, plan::OrderedReduce>) {
          emit_ordered_reduce(emitter, kernel, work);
        } else if constexpr (std::is_same_v<Work, plan::Scatter>) {
          emit_scatter(emitter, kernel, work);
        } else if constexpr (std::is_same_v<Work, plan::TopK>) {
          emit_top_k(emitter, kernel, work);
        } else if constexpr (std::is_same_v<Work, plan::Compact>) {
          emit_compact(emitter, kernel, work);
        } else if constexpr (std::is_same_v<Work, plan::Measure>) {
          internal_error(__FILE__, __LINE__, "a size is measured between kernels");
        } else {
          emit_contract(emitter, kernel, work);
        }
      },
      kernel.work);
}

struct Entries {
  llvm::Function* run = nullptr;
  llvm::Function* run_probed = nullptr;
};

/// All kernels of a plan for one instruction set, and what calls them.
Entries emit_entries(Emitter& emitter, const Checks& checks, const std::vector<Pinned>& runs,
                     const std::vector<Pinned>& probed_runs) {
  emitter.set_fail(checks.fail());
  std::vector<llvm::Function*> kernels;
  for (const plan::Kernel& kernel : emitter.plan.kernels) {
    if (std::holds_alternative<plan::Measure>(kernel.work)) {
      kernels.push_back(nullptr);
      continue;
    }
    kernels.push_back(emitter.begin_kernel(kernel));
    emit_work(emitter, kernel);
    emitter.end_kernel();
  }
  return {emit_run(emitter, checks, kernels, false, runs),
          emit_run(emitter, checks, kernels, true, probed_runs)};
}

/// Weights of so many bytes are put into the finished object: LLVM would keep three copies of them.
/// They are a section of their own then. Fewer it may see, and fold into code.
constexpr std::size_t many_bytes = std::size_t{16} << 20;
constexpr const char* section_of_many = ".rodata.ingot.weights";

bool are_put_in_later(std::span<const std::byte> weights, const Options& options) {
  return weights.size() >= many_bytes && options.instrument == Instrument::none;
}

void put_weights(std::vector<std::byte>& elf, std::span<const std::byte> weights) {
  using llvm::object::ELF64LEFile;
  auto file =
      ELF64LEFile::create(llvm::StringRef(reinterpret_cast<const char*>(elf.data()), elf.size()));
  INGOT_CHECK(static_cast<bool>(file), "llvm wrote an object that it cannot read");
  auto sections = file->sections();
  INGOT_CHECK(static_cast<bool>(sections), "llvm wrote an object without sections");
  for (const auto& section : *sections) {
    auto name = file->getSectionName(section);
    INGOT_CHECK(static_cast<bool>(name), "llvm wrote a section without a name");
    if (*name != section_of_many) continue;
    INGOT_CHECK(section.sh_type == llvm::ELF::SHT_PROGBITS && section.sh_size == weights.size() &&
                    section.sh_offset <= elf.size() &&
                    weights.size() <= elf.size() - section.sh_offset,
                "the section of the weights has {} bytes, not {}",
                static_cast<std::uint64_t>(section.sh_size), weights.size());
    std::memcpy(elf.data() + section.sh_offset, weights.data(), weights.size());
    return;
  }
  // Nothing reads them.
}

llvm::GlobalVariable* emit_weights(llvm::Module& module, const std::string& object,
                                   std::span<const std::byte> bytes, const Options& options) {
  if (bytes.empty()) return nullptr;
  const bool later = are_put_in_later(bytes, options);
  llvm::LLVMContext& context = module.getContext();
  auto* type = llvm::ArrayType::get(llvm::Type::getInt8Ty(context), bytes.size());
  llvm::Constant* value = llvm::ConstantAggregateZero::get(type);
  if (!later) {
    value = llvm::ConstantDataArray::get(
        context, llvm::ArrayRef(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  }
  auto* weights = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::InternalLinkage,
                                           value, Names::weights(object));
  if (later) {
    // The zeros are not what it will hold.
    weights->setExternallyInitialized(true);
    weights->setSection(section_of_many);
  }
  weights->setAlignment(llvm::Align(64));
  return weights;
}

/// Line tables in terms of the printed plan; no folder and no time in them.
struct LineTable {
  LineTable(llvm::Module& module, const std::string& object) : builder(module) {
    module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
    module.addModuleFlag(llvm::Module::Warning, "Dwarf Version", 4);
    file = builder.createFile(object + ".plan", "");
    builder.createCompileUnit(llvm::dwarf::DW_LANG_C99, file, "ingot", true, "", 0, "",
                              llvm::DICompileUnit::LineTablesOnly);
  }
  llvm::DIBuilder builder;
  llvm::DIFile* file = nullptr;
};

std::unique_ptr<llvm::Module> make_module(llvm::LLVMContext& context, const std::string& name,
                                          llvm::TargetMachine& machine) {
  auto module = std::make_unique<llvm::Module>(name, context);
  module->setSourceFileName(name + ".plan");
  module->setTargetTriple(machine.getTargetTriple().str());
  module->setDataLayout(machine.createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  module->setUwtable(llvm::UWTableKind::Async);
  module->setFramePointer(llvm::FramePointerKind::All);
  return module;
}

/// The instruction sets that were asked for, in that order.
Expected<std::vector<const Isa*>> isas_for(std::span<const Program> programs,
                                           const Options& options) {
  std::vector<const Isa*> isas;
  for (const int level : options.isa_levels) {
    const Isa* isa = find_isa(level);
    if (isa == nullptr) {
      return fail(ErrorCode::invalid_argument, "there is no x86-64-v{}; levels are v2, v3 and v4",
                  level);
    }
    for (const Program& program : programs) {
      if (isa->has_fma || program.plan.arithmetic != Arithmetic::fused) continue;
      return fail(ErrorCode::invalid_argument,
                  "{} has no fused multiply-add, but the model was planned with it; ask for strict "
                  "arithmetic",
                  isa->cpu);
    }
    isas.push_back(isa);
  }
  if (isas.empty()) return fail(ErrorCode::invalid_argument, "no instruction set was asked for");
  return isas;
}

/// All functions of a model, and its descriptor.
void emit_program(llvm::Module& module, const Program& program, const std::vector<const Isa*>& isas,
                  llvm::GlobalVariable* weights, FunctionOptions functions) {
  const Isa* lowest = *std::min_element(
      isas.begin(), isas.end(), [](const Isa* a, const Isa* b) { return a->level < b->level; });
  functions.kernel_lines = program.kernel_lines;
  std::vector<FunctionOptions> of_pinned;
  std::vector<Checks> pinned_checks;
  std::vector<Pinned> needs;
  auto number = static_cast<std::uint32_t>(program.plan.kernels.size());
  for (const plan::Plan& pinned : program.pinned) {
    of_pinned.push_back(functions);
    of_pinned.back().first_kernel =
        std::exchange(number, number + static_cast<std::uint32_t>(pinned.kernels.size()));
    Emitter shared(module, pinned, *lowest, weights, of_pinned.back());
    pinned_checks.emplace_back(shared, Checks::OfPinned());
    needs.push_back({&pinned, pinned_checks.back().need()});
  }
  Emitter shared(module, program.plan, *lowest, weights, functions);
  const Checks checks(shared, needs);
  for (const Isa* isa : isas) {
    std::vector<Pinned> runs, probed_runs;
    for (std::size_t i = 0; i < program.pinned.size(); ++i) {
      const plan::Plan& pinned = program.pinned[i];
      Emitter emitter(module, pinned, *isa, weights, of_pinned[i]);
      const Entries entries = emit_entries(emitter, pinned_checks[i], {}, {});
      runs.push_back({&pinned, entries.run});
      probed_runs.push_back({&pinned, entries.run_probed});
    }
    Emitter emitter(module, program.plan, *isa, weights, functions);
    emit_entries(emitter, checks, runs, probed_runs);
  }
  emit_blob(module, program.descriptor);
}

}  // namespace

std::string Names::run(const plan::Plan& plan, int level) {
  return fmt::format("{}.run.v{}", plan.name, level);
}
std::string Names::run_probed(const plan::Plan& plan, int level) {
  return fmt::format("{}.run_probed.v{}", plan.name, level);
}
std::string Names::workspace_bytes(const plan::Plan& plan) {
  return plan.name + ".workspace_bytes";
}
std::string Names::shapes(const plan::Plan& plan) { return plan.name + ".shapes"; }
std::string Names::weights(const std::string& object) { return object + ".weights"; }

Expected<Object> generate(const std::string& name, std::span<const Program> programs,
                          std::span<const std::byte> weights, const Options& options) {
  INGOT_ASSIGN(const std::vector<const Isa*> isas, isas_for(programs, options));
  const auto machine = make_machine();
  llvm::LLVMContext context;
  const auto module = make_module(context, name, *machine);
  llvm::GlobalVariable* section = emit_weights(*module, name, weights, options);
  LineTable lines(*module, name);
  FunctionOptions functions{.debug = &lines.builder, .file = lines.file};
  if (options.instrument == Instrument::thread) {
    functions.sanitizer = llvm::Attribute::SanitizeThread;
  } else if (options.instrument == Instrument::address) {
    functions.sanitizer = llvm::Attribute::SanitizeAddress;
  }
  for (const Program& program : programs) emit_program(*module, program, isas, section, functions);
  lines.builder.finalize();
  INGOT_ASSIGN(Object object, finish(*module, *machine, options));
  if (are_put_in_later(weights, options)) put_weights(object.elf, weights);
  return object;
}

Expected<Object> generate(const plan::Plan& plan, const ConstantBlob& descriptor,
                          const Options& options) {
  const Program program{.plan = plan, .descriptor = descriptor};
  return generate(plan.name, {&program, 1}, plan.weights, options);
}

std::string llvm_version() { return LLVM_VERSION_STRING; }

Expected<Object> generate_constant(const ConstantBlob& constant) {
  const auto machine = make_machine();
  llvm::LLVMContext context;
  const auto module = make_module(context, constant.name, *machine);
  for (const Relocation& relocation : constant.relocations) {
    if (relocation.symbol.empty() || module->getNamedValue(relocation.symbol) != nullptr) continue;
    new llvm::GlobalVariable(*module, llvm::Type::getInt8Ty(context), true,
                             llvm::GlobalValue::ExternalLinkage, nullptr, relocation.symbol);
  }
  emit_blob(*module, constant);
  return finish(*module, *machine, {});
}

}  // namespace ingot::target
