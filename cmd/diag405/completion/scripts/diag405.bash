# bash completion for diag405. In ~/.bashrc: source <(diag405 completion bash)

_diag405() {
  # bash takes words apart at = and : as well; what no space parts is one word.
  local rest=${COMP_LINE:0:COMP_POINT} words=() i piece
  for ((i = 0; i <= COMP_CWORD; i++)); do
    piece=${COMP_WORDS[i]}
    if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
      rest=${rest#"${rest%%[![:space:]]*}"}
      words+=("")
    fi
    [[ $rest == "$piece"* ]] || piece=$rest # the cursor is within it
    rest=${rest#"$piece"}
    words[${#words[@]} - 1]+=$piece
  done

  local typed=${words[${#words[@]} - 1]} word meaning
  local shown=${typed%"${typed##*[=:]}"} # stays in front of what is completed
  COMPREPLY=()
  while IFS=$'\t' read -r word meaning; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${typed#"$shown"}")
    else
      COMPREPLY+=("${word#"$shown"}")
    fi
  done < <("${words[0]/#\~/$HOME}" completion words -- "${words[@]:1}" 2>/dev/null)
}

complete -F _diag405 diag405
