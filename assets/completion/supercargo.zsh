#compdef supercargo
# Completion of supercargo for zsh: the program says what may stand where the cursor is.
_supercargo() {
    local -a lines candidates
    local line word meaning
    lines=("${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${(@)lines[1,-2]}"; do
        word=${line%%$'\t'*}
        meaning=${${line#$word}#$'\t'}
        candidates+=("${word//:/\\:}${meaning:+:$meaning}")
    done
    (( ${#candidates} )) && _describe -t values supercargo candidates
    [[ ${lines[-1]} == :0 ]] && _files
    return 0
}
if [[ ${funcstack[1]} == _supercargo ]]; then
    _supercargo "$@"
else
    compdef _supercargo supercargo
fi
