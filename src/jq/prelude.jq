# Definitions of jq that jaq lacks, or has in another way.
# Behind assignments: by paths, as in jq, in place of updates that cannot make what is missing.
def setpath($p; $v): __setpath($p; $v);
def delpaths($ps): __delpaths($ps);
def __first(f): first(f);
def __assign(ps; $v): reduce path(ps) as $p (.; setpath($p; $v));
def __modify(ps; f):
  reduce path(ps) as $p ([., []];
    [first(.[0] | getpath($p) | f)] as $new
    | if $new == [] then [.[0], .[1] + [$p]] else [(.[0] | setpath($p; $new[0])), .[1]] end)
  | .[1] as $gone | .[0] | delpaths($gone);
def del(f): delpaths([path(f)]);
# Numbers as text are as in jq.
def tostring: __text;
def @text: __text;
def @json: tojson;
def @html: tostring | escape_html;
def @htmld: tostring | unescape_html;
def @uri: tostring | encode_uri;
def @urid: tostring | decode_uri;
def @base64: tostring | encode_base64;
def @base64d: tostring | decode_base64;
def @sh: [if isarray then .[] end | if isstring then "'\(escape_sh)'" else tostring end] | join(" ");
def add(f): reduce f as $x (null; . + $x);
def add: add(.[]);
def join($s): reduce .[] as $x (null; (if . == null then "" else . + $s end) + ($x | if . == null then "" elif isboolean or isnumber then tostring end)) // "";
def from_entries: reduce .[] as $x ({}; . + {
  ($x | if .key == null then .k // .name // .Name // .K // .Key else .key end
    | if isboolean or isnumber then tojson end):
  ($x | if has("value") then .value elif has("v") then .v elif has("Value") then .Value else .V end)});
def with_entries(f): to_entries | map(f) | from_entries;
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
