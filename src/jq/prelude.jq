# Definitions of jq that jaq lacks, or has in another way.
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(s; f): reduce s as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);
def GROUP_BY(f): group_by(f);
def leaf_paths: paths(scalars);
def toarray: if isarray then . else [.] end;
def ascii: [.] | implode;
# The interpreter refuses other values than strings.
def ltrimstr($s): if isstring and ($s | isstring) and startswith($s) then .[($s | length):] else . end;
def rtrimstr($s): if isstring and ($s | isstring) and endswith($s) and $s != "" then .[:-($s | length)] else . end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def tostream: path(def r: (.[]?|r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def csv_cell: if isnumber then tostring
  elif isboolean then tostring
  elif . == null then ""
  elif isstring then "\"" + gsub("\""; "\"\"") + "\""
  else error("\(type) (\(tojson)) is not valid in a csv row") end;
def @csv: if isarray then map(csv_cell) | join(",") else error("\(type) (\(tojson)) cannot be csv-formatted, only an array can be") end;
def tsv_cell: if isstring
  then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
  elif isnumber or isboolean then tostring
  elif . == null then ""
  else error("\(type) (\(tojson)) is not valid in a tsv row") end;
def @tsv: if isarray then map(tsv_cell) | join("\t") else error("\(type) (\(tojson)) cannot be tsv-formatted, only an array can be") end;
def date: todate;
def dateadd(u; n): . + n;
def datesub(u; n): . - n;
def have_literal_numbers: true;
def have_decnum: true;
def input: error("input is not available: --jq gets one record at a time");
def inputs: input;
def input_line_number: input;
def input_filename: null;
