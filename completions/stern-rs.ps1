# PowerShell completion for stern-rs.
#
#   stern-rs --completion powershell | Out-String | Invoke-Expression     # in $PROFILE

Register-ArgumentCompleter -Native -CommandName 'stern-rs' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The words up to the cursor, without the program; the one being typed may be empty.
    $typed = @($commandAst.CommandElements |
            Select-Object -Skip 1 |
            Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
            ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    if ($wordToComplete -eq '') {
        # An empty argument is dropped by older versions unless it is quoted.
        $typed += if ($PSNativeCommandArgumentPassing -in 'Standard', 'Windows') { '' } else { '""' }
    }

    # Candidates are names that others chose: they are not evaluated. Only the last line is the directive.
    $flag = if ($wordToComplete -match '^-[^=]*=') { $Matches[0] } else { '' }
    $lines = @(stern-rs __complete @typed 2>$null)
    if ($lines.Count -eq 0 -or $lines[-1] -notmatch '^:[0-9]+$') { return }
    $noSpace = [int]$lines[-1].Substring(1) -band 2
    $lines | Select-Object -SkipLast 1 | Where-Object { $_ -notmatch '[^\P{Cc}\t]' } | ForEach-Object {
        $candidate, $description = $_ -split "`t", 2
        if (-not $candidate) { return }
        if (-not $description) { $description = $candidate }
        $text = "$flag$candidate"
        # A comma makes a list of an argument, and a point ends a parameter. Quotes are of several kinds here.
        if ($text -notmatch '^(--?[a-zA-Z-]*|[a-zA-Z][a-zA-Z0-9_:/.-]*)\z') {
            $text = "'" + [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($text) + "'"
        }
        if (-not $noSpace) { $text += ' ' }
        [System.Management.Automation.CompletionResult]::new($text, $candidate, 'ParameterValue', $description)
    }
}
