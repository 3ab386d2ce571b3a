# fish completion for diag405: diag405 completion fish > ~/.config/fish/completions/diag405.fish

function __diag405_complete
    set -l typed (commandline -ct)
    set -l words (commandline -opc)
    for line in ($words[1] completion words -- $words[2..-1] "$typed" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$typed"
        else
            echo $line
        end
    end
end

complete -c diag405 -f -a '(__diag405_complete)'
