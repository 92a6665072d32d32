# Completion of supercargo for fish: the program says what may stand where the cursor is.
function __supercargo_complete
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] "$begun" 2>/dev/null)
    or return
    for line in $lines
        string match -qr '^:\d$' -- $line; or echo $line
    end
    if test "$lines[-1]" = ":0"
        __fish_complete_path "$begun"
    end
end
complete -c supercargo -f -a '(__supercargo_complete)'
