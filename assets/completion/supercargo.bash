# Completion of supercargo for bash: the program says what may stand where the cursor is.
_supercargo() {
    local answer line
    COMPREPLY=()
    answer=$("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    while IFS= read -r line; do
        case $line in
            :0) compopt -o default 2>/dev/null ;;
            :*) ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done <<<"$answer"
}
complete -F _supercargo supercargo
