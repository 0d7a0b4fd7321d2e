// SPDX-License-Identifier: Apache-2.0
// ingot report: pages and tables of what `ingot bench --json` wrote.
#include <cstdio>
#include <memory>

#include "base/file.h"
#include "bench/markdown.h"
#include "bench/repeats.h"
#include "bench/report.h"
#include "help.h"
#include "options.h"

namespace ingot::tools {
namespace {

struct Flags {
  std::vector<std::string> files;
  std::string html, markdown, json, csv;
  bool table = false;
};

Expected<bench::Report> read_report(const std::string& path) {
  INGOT_ASSIGN(const std::vector<std::byte> bytes, read_file(path));
  return bench::report_from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Expected<int> report(const Flags& flags) {
  std::vector<bench::Report> reports;
  for (const std::string& path : flags.files) {
    INGOT_ASSIGN(bench::Report read, read_report(path));
    reports.push_back(std::move(read));
  }
  INGOT_ASSIGN(const bench::Report merged, bench::merge(reports));
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
  if (flags.table || !wrote) std::fputs(bench::to_table(merged).c_str(), stdout);
  std::fputs(bench::spread_text(spreads).c_str(), stdout);
  return 0;
}

}  // namespace

void add_report(CLI::App& program, Run& run) {
  auto flags = std::make_shared<Flags>();
  CLI::App* app = program.add_subcommand("report", "show what ingot bench measured");
  app->add_option("FILE", flags->files, "JSON that ingot bench or ingot report wrote")->required();
  app->add_option("--html", flags->html, "write a page that needs no network")->type_name("FILE");
  app->add_option("--markdown", flags->markdown, "write tables for people, in Markdown")
      ->type_name("FILE");
  app->add_option("--json", flags->json, "write all of it as one JSON file")->type_name("FILE");
  app->add_option("--csv", flags->csv, "write a line per model, sizes, engine and mode")
      ->type_name("FILE");
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
