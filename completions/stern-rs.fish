# fish completion for stern-rs.
#
#   stern-rs --completion fish > ~/.config/fish/completions/stern-rs.fish

function __stern_rs_complete
    set -l typed (string replace -r -- '^~/' "$HOME/" (commandline -opc))
    set -e typed[1]
    set -l current (commandline -ct)
    # Of --flag=value, the candidates are values.
    set -l flag (string match -r -- '^-[^=]*=' "$current")
    set -l value (string replace -- "$flag" '' "$current")

    set -l answer (stern-rs __complete $typed "$current" 2>/dev/null </dev/null)
    if test (count $answer) -eq 1 -a "$answer[-1]" = :0
        set answer (__fish_complete_path $value)
    end
    for line in $answer
        string match -qr '^:\d+$' -- $line; or printf '%s%s\n' "$flag" $line
    end
end

complete -c stern-rs -f -a '(__stern_rs_complete)'
