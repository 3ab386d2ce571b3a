#compdef diag405
# zsh completion for diag405. In ~/.zshrc, behind compinit: source <(diag405 completion zsh)

_diag405() {
  local line word
  local -a candidates
  for line in "${(@f)$("${words[1]/#\~/$HOME}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    word=${line%%$'\t'*}
    [[ -n $word ]] && candidates+=("${word//:/\\:}${${line#"$word"}/$'\t'/:}")
  done
  _describe diag405 candidates
}

if [[ $funcstack[1] == _diag405 ]]; then
  _diag405 "$@"
else
  compdef _diag405 diag405
fi
