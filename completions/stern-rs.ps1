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

    $flag = if ($wordToComplete -match '^-[^=]*=') { $Matches[0] } else { '' }
    $lines = @(stern-rs __complete @typed 2>$null)
    $noSpace = $lines.Count -gt 0 -and ([int]$lines[-1].TrimStart(':') -band 2)
    $lines | Where-Object { $_ -notmatch '^:\d+$' } | ForEach-Object {
        $candidate, $description = $_ -split "`t", 2
        if (-not $description) { $description = $candidate }
        $text = "$flag$candidate"
        if ($text -match '[^\w@%+=:,./-]') { $text = "'" + $text.Replace("'", "''") + "'" }
        if (-not $noSpace) { $text += ' ' }
        [System.Management.Automation.CompletionResult]::new($text, $candidate, 'ParameterValue', $description)
    }
}
