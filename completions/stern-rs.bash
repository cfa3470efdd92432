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

    # Candidates are names that others chose: they are neither evaluated nor counted with. Only the last line is the
    # directive.
    local answer directive candidate
    COMPREPLY=()
    answer=$(stern-rs __complete "${words[@]:1}" 2>/dev/null </dev/null) || return
    directive=${answer##*$'\n'}
    [[ $directive =~ ^:[0-9]+$ ]] || return
    while IFS= read -r line; do
        candidate=$flag${line%%$'\t'*}
        candidate=${candidate#"$before"}
        case $candidate in
            *[[:cntrl:]]* | '') continue ;;
            *[^a-zA-Z0-9_@%+=:,./-]*) _stern_rs_quoted ;;
        esac
        COMPREPLY+=("$candidate")
    done < <(printf %s "${answer%"$directive"}")

    if type compopt >/dev/null 2>&1; then
        case $directive in
            :[2367]) compopt -o nospace ;;
        esac
        case $directive in
            :[0123]) ;;
            *) compopt +o default ;;
        esac
    fi
}

# Quotes $candidate so that it is a text within the quote that was typed, if there is one, as well as without. printf %q
# would use $'...', which ends such a quote.
_stern_rs_quoted() {
    local i character quoted=
    for ((i = 0; i < ${#candidate}; i++)); do
        character=${candidate:i:1}
        case $piece:$character in
            \'*:\') quoted+="'\\''" ;;
            \'*) quoted+=$character ;;
            \"*:[\"\$\`\\]) quoted+=\\$character ;;
            # A backslash does not help within double quotes.
            \"*:!) quoted+='"\!"' ;;
            \"*) quoted+=$character ;;
            *:[a-zA-Z0-9_@%+=:,./-]) quoted+=$character ;;
            *:[[:ascii:]]) quoted+=\\$character ;;
            *) quoted+=$character ;;
        esac
    done
    # Readline adds no quote where one stands already.
    case $piece:$quoted in
        \'*:\'* | \"*:\"*) quoted=${piece:0:1}$quoted ;;
    esac
    case $piece:$quoted in
        \'*:*\' | \"*:*\") quoted+=${piece:0:1} ;;
    esac
    candidate=$quoted
}

complete -o default -F _stern_rs stern-rs
