#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/context.hpp"

namespace certherd::cli {
namespace {

// The scripts know nothing of certherd's commands: they ask the program itself, which then knows
// them all, and the domains of the store too. So they need no change when the program gets one.

constexpr std::string_view bash =
    R"(# bash completion for certherd. For this shell:  source <(certherd completion bash)
_certherd() {
  local program=${COMP_WORDS[0]/#\~/$HOME} current=${COMP_WORDS[COMP_CWORD]} quote= text
  local -a typed=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  COMPREPLY=()
  case $current in
    =) current= typed+=(=) ;;
    [\'\"]*) quote=${current:0:1} current=${current:1} ;;
    *) current=${current//\\/} ;;
  esac
  while IFS=$'\t' read -r text _; do
    case $text in
      :files)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        ;;
      :folders)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
        ;;
      *)
        # A wildcard's * is no pattern.
        if [[ -z $quote ]]; then printf -v text %q "$text"; fi
        COMPREPLY+=("$text")
        ;;
    esac
  done < <("$program" __complete "${typed[@]}" "$current" 2>/dev/null)
}
complete -F _certherd certherd
)";

constexpr std::string_view zsh =
    R"(#compdef certherd
# zsh completion for certherd: as _certherd in a folder of $fpath, or for this shell
#   source <(certherd completion zsh)
_certherd() {
  local program=${~words[1]} line text about paths
  local -a proposals typed
  typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  for line in "${(@f)$("$program" __complete "${typed[@]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files|:folders) paths=$line ;;
      *)
        text=${line%%$'\t'*}
        about=${line#"$text"}
        proposals+=("${text//:/\\:}${about:+:${about#$'\t'}}")
        ;;
    esac
  done
  (( ${#proposals} )) && _describe -t values certherd proposals
  if [[ -n $paths && $PREFIX == --*=* ]]; then compset -P '*='; fi
  case $paths in
    :files) _files ;;
    :folders) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _certherd ]]; then
  _certherd "$@"
else
  compdef _certherd certherd
fi
)";

constexpr std::string_view fish =
    R"(# fish completion for certherd. For all shells:
#   certherd completion fish >~/.config/fish/completions/certherd.fish
function __certherd_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    set -l program $typed[1]
    set -e typed[1]
    for line in ($program __complete $typed "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' $current)
            case :folders
                __fish_complete_directories (string replace -r -- '^--[^=]*=' '' $current)
            case '*'
                echo $line
        end
    end
end
complete -c certherd -f -a '(__certherd_complete)'
)";

}  // namespace

void add_completion(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("completion", "Completion for a shell: bash, zsh or fish");
  command->footer(
      "Prints a script for the shell. It proposes commands, options and their values, also the\n"
      "domains of the inventory and the names of the config's sections.\n\n"
      "Examples:\n"
      "  source <(certherd completion bash)\n"
      "  certherd completion bash >/etc/bash_completion.d/certherd\n"
      "  certherd completion zsh >/usr/local/share/zsh/site-functions/_certherd\n"
      "  certherd completion fish >~/.config/fish/completions/certherd.fish");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "Whose script to print")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->callback([&context, shell] {
    context.action = [shell] {
      fmt::print("{}", *shell == "bash" ? bash : *shell == "zsh" ? zsh : fish);
      return all_done;
    };
  });
}

}  // namespace certherd::cli
