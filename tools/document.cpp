// SPDX-License-Identifier: Apache-2.0
// ingot completion and ingot man: what the flags say of themselves, for shells and for man.
#include <cstdio>
#include <memory>

#include "help.h"
#include "options.h"

namespace ingot::tools {

void add_completion(CLI::App& program, Run& run) {
  auto shell = std::make_shared<std::string>();
  CLI::App* app = program.add_subcommand("completion", "print what makes a shell complete flags");
  app->add_option("SHELL", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  explain(
      *app,
      "A package installs both scripts. For a tool that was built and not installed, source the\n"
      "script, or save it where the shell looks for completions.",
      {{"ingot completion bash > ingot.bash && source ingot.bash", "for this shell"},
       {"ingot completion zsh > _ingot", "for a folder of zsh's fpath"}});
  app->callback([&program, shell, &run] {
    run = [&program, shell]() -> Expected<int> {
      const std::string text =
          *shell == "bash" ? bash_completion(program) : zsh_completion(program);
      std::fwrite(text.data(), 1, text.size(), stdout);
      return 0;
    };
  });
}

void add_man(CLI::App& program, Run& run) {
  CLI::App* app = program.add_subcommand("man", "print the manual page, made from these flags");
  explain(*app, "A package installs it as ingot(1).",
          {{"ingot man > ingot.1", "for a folder man1 of MANPATH"},
           {"ingot man | man -l -", "reads it at once"}});
  app->callback([&program, &run] {
    run = [&program]() -> Expected<int> {
      const std::string text = man_page(program);
      std::fwrite(text.data(), 1, text.size(), stdout);
      return 0;
    };
  });
}

}  // namespace ingot::tools
