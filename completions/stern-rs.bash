# bash completion for stern-rs; it needs bash 3.2 or later and nothing else.
#
#   source <(stern-rs --completion bash)          # in ~/.bashrc
#   complete -o default -F _stern_rs k            # for an alias k

_stern_rs() {
    # Readline splits words at = and : too: what has no space between belongs together.
    local -a words=()
    local line=$COMP_LINE rest word i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        rest=${line#"${line%%[![:space:]]*}"}
        if [[ i -eq 0 || $rest != "$line" ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        line=${rest#"$word"}
    done

    # Where readline replaces only the end of the word, candidates lose what stands before it.
    local current=${words[${#words[@]} - 1]} piece=${COMP_WORDS[COMP_CWORD]}
    if [[ $piece == [=:] && $COMP_WORDBREAKS == *$piece* ]]; then
        piece=
    fi
    local before=${current%"$piece"} flag=
    if [[ $current == -*=* ]]; then
        flag=${current%%=*}=
    fi

    for i in "${!words[@]}"; do
        word=${words[i]}
        case $word in
            \'*\') word=${word:1:${#word} - 2} ;;
            *) word=${word//[\'\"\\]/} ;;
        esac
        case $word in
            '~/'*) word=$HOME/${word:2} ;;
        esac
        words[i]=$word
    done

    local answer candidate directive=4
    COMPREPLY=()
    answer=$(stern-rs __complete "${words[@]:1}" 2>/dev/null </dev/null) || return
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=${line#:} ;;
            *)
                candidate=$flag${line%%$'\t'*}
                candidate=${candidate#"$before"}
                if [[ $candidate == *[^a-zA-Z0-9_@%+=:,./-]* ]]; then
                    printf -v candidate %q "$candidate"
                fi
                COMPREPLY+=("$candidate")
                ;;
        esac
    done <<<"$answer"

    if type compopt >/dev/null 2>&1; then
        if ((directive & 2)); then
            compopt -o nospace
        fi
        if ((directive & 4)); then
            compopt +o default
        fi
    fi
}

complete -o default -F _stern_rs stern-rs
