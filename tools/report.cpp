// SPDX-License-Identifier: Apache-2.0
// ingot report: pages and tables of what `ingot bench --json` wrote.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "bench/markdown.h"
#include "bench/mlprof.h"
#include "bench/repeats.h"
#include "bench/report.h"
#include "help.h"
#include "options.h"

namespace ingot::tools {
namespace {

struct Flags {
  std::vector<std::string> files, added;
  std::string mlprof;
  std::string html, markdown, json, csv;
  bool table = false;
};

Expected<std::string> read_text(const std::string& path) {
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// `MODEL/ENGINE=FILE`; the model can be left out where there is one.
Expected<void> add_mlprof(bench::Report& report, const std::string& given) {
  const std::size_t equals = given.find('='), slash = given.rfind('/', equals);
  if (equals == std::string::npos || equals == 0 || equals + 1 == given.size())
    return fail(ErrorCode::invalid_argument, "--add-mlprof {}: give MODEL/ENGINE=FILE.csv", given);
  const bool has_model = slash != std::string::npos && slash < equals;
  if (!has_model && report.models.size() != 1)
    return fail(ErrorCode::invalid_argument,
                "--add-mlprof {}: say of which model it is, with MODEL/ENGINE=FILE.csv", given);
  const std::string path = given.substr(equals + 1);
  INGOT_ASSIGN(const std::string text, read_text(path));
  const std::size_t begin = has_model ? slash + 1 : 0;
  return bench::add_mlprof(report, has_model ? given.substr(0, slash) : report.models[0].name,
                           given.substr(begin, equals - begin), text, path);
}

Expected<void> write_mlprof(const bench::Report& report, const std::string& folder) {
  const std::vector<bench::MlprofTimes> all = bench::to_mlprof(report);
  if (all.empty())
    return fail(ErrorCode::invalid_argument,
                "--mlprof: the reports hold no single times of hot calls");
  for (const bench::MlprofTimes& times : all) {
    const std::string place = fmt::format("{}/{}/{}", folder, times.model, times.engine);
    std::error_code status;
    std::filesystem::create_directories(place, status);
    if (status) return fail(ErrorCode::io, "{}: {}", place, status.message());
    INGOT_TRY(write_file(place + "/" + times.file_name, times.text));
  }
  return {};
}

Expected<int> report(const Flags& flags) {
  std::vector<bench::Report> reports;
  for (const std::string& path : flags.files) {
    INGOT_ASSIGN(const std::string text, read_text(path));
    INGOT_ASSIGN(bench::Report read, bench::report_from_json(text, path));
    reports.push_back(std::move(read));
  }
  bench::Report merged;
  if (!reports.empty()) {
    INGOT_ASSIGN(merged, bench::merge(reports));
  }
  for (const std::string& given : flags.added) INGOT_TRY(add_mlprof(merged, given));
  if (merged.models.empty() && reports.empty())
    return fail(ErrorCode::invalid_argument, "give reports, or --add-mlprof");
  if (!flags.json.empty()) INGOT_TRY(write_file(flags.json, bench::to_json(merged)));
  if (!flags.csv.empty()) INGOT_TRY(write_file(flags.csv, bench::to_csv(merged)));
  const std::vector<bench::Spread> spreads = bench::spreads(reports);
  bool wrote = false;
  const auto write = [&](const std::string& path, const auto& make) -> Expected<void> {
    if (path.empty()) return {};
    wrote = true;
    return write_file(path, make());
  };
  INGOT_TRY(write(flags.html, [&] { return bench::to_html(merged); }));
  INGOT_TRY(write(flags.markdown, [&] { return bench::to_markdown(merged, spreads); }));
  INGOT_TRY(write(flags.json, [&] { return bench::to_json(merged); }));
  INGOT_TRY(write(flags.csv, [&] { return bench::to_csv(merged); }));
  if (!flags.mlprof.empty()) {
    INGOT_TRY(write_mlprof(merged, flags.mlprof));
    wrote = true;
  }
  if (flags.table || !wrote) std::fputs(bench::to_table(merged).c_str(), stdout);
  std::fputs(bench::spread_text(spreads).c_str(), stdout);
  return 0;
}

}  // namespace

void add_report(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("report", "show what ingot bench measured");
  app->add_option("FILE", flags->files, "JSON that ingot bench or ingot report wrote");
  app->add_option("--html", flags->html, "write a page that needs no network")->type_name("FILE");
  app->add_option("--markdown", flags->markdown, "write tables for people, in Markdown")
      ->type_name("FILE");
  app->add_option("--json", flags->json, "write all of it as one JSON file")->type_name("FILE");
  app->add_option("--csv", flags->csv, "write a line per model, sizes, engine and mode")
      ->type_name("FILE");
  app->add_option("--mlprof", flags->mlprof,
                  "write hot times as MLProf does: DIR/MODEL/ENGINE/runtimes_bs1_16.csv")
      ->type_name("DIR");
  app->add_option("--add-mlprof", flags->added, "show times that MLProf measured as an engine")
      ->type_name("MODEL/ENGINE=FILE");
  app->add_flag("--table", flags->table, "print tables; the default where no file is written");
  explain(
      *app,
      "Several files are shown as one. What more than one of them has is shown with the median\n"
      "of its figures, and how far the ratios to the best peer moved is printed. The files must\n"
      "be of one machine and one number of threads.",
      {{"ingot report today.json", "prints the tables again"},
       {"ingot report part1.json part2.json --json all.json --csv all.csv",
        "makes one report of two"}});
  app->callback([flags, &run] { run = [flags] { return report(*flags); }; });
}

}  // namespace ingot::tools
