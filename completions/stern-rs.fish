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

    # Candidates are names that others chose: fish quotes them. Only the last line is the directive.
    set -l answer (stern-rs __complete $typed "$current" 2>/dev/null </dev/null)
    string match -qr '^:\d+$' -- "$answer[-1]"; or return
    if test "$answer" = :0
        set answer (__fish_complete_path $value) ''
    end
    for line in $answer[1..-2]
        string match -qr '[^\t\P{Cc}]' -- "$line"; or printf '%s%s\n' "$flag" "$line"
    end
end

complete -c stern-rs -f -a '(__stern_rs_complete)'
