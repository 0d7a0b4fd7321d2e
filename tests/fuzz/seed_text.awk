# SPDX-License-Identifier: Apache-2.0
# Of make_seeds.sh: a line of seeds/onnx.txt or seeds/graphdef.txt (-v kind=) as protobuf text.

function quoted(s) { return "\"" s "\"" }

# "1,2" as fields: `NAME: 1 NAME: 2`.
function fields(name, list,   parts, n, i, text) {
  n = split(list, parts, ",")
  for (i = 1; i <= n; ++i) text = text " " name ": " parts[i]
  return text
}

# Of `DTYPE[2,3]`, `DTYPE{1,2}` or `DTYPE(1)`: sets dtype, and dims and values as lists.
function read_tensor(text,   at, inner, parts, n, i, count) {
  match(text, /[[({]/)
  at = RSTART
  dtype = substr(text, 1, at - 1)
  inner = substr(text, at + 1, length(text) - at - 1)
  if (substr(text, at, 1) == "(") { dims = ""; values = inner; return }
  n = split(inner, parts, ",")
  if (substr(text, at, 1) == "{") { dims = n; values = inner; return }
  dims = inner
  count = 1
  for (i = 1; i <= n; ++i) count *= parts[i]
  values = ""
  for (i = 1; i <= count; ++i) values = values (i > 1 ? "," : "") (kind == "onnx" && dtype == 10 ? 15360 : 1)
}

function onnx_tensor(text,   field) {
  read_tensor(text)
  field = dtype == 1 ? "float_data" : dtype == 7 ? "int64_data" : "int32_data"
  return fields("dims", dims) " data_type: " dtype fields(field, values)
}

function onnx_input(name, type,   parts, n, i, text) {
  n = split(substr(type, index(type, "[") + 1), parts, /[],]/)
  for (i = 1; i < n; ++i) {
    if (parts[i] == "") continue
    text = text " dim { " (parts[i] ~ /^[0-9]/ ? "dim_value: " parts[i] : "dim_param: " quoted(parts[i])) " }"
  }
  return " input { name: " quoted(name) " type { tensor_type { elem_type: " (type + 0) " shape {" text " } } } }"
}

function onnx_attribute(name, value,   kind, rest) {
  if (value == "g") {
    return " attribute { name: " quoted(name) " type: GRAPH g { name: \"g\" node { op_type: \"Neg\" input: \"x\" output: \"z\" } output { name: \"z\" } } }"
  }
  match(value, /^(is|fs|i|f|s|t)/)
  kind = substr(value, 1, RLENGTH)
  rest = substr(value, RLENGTH + 1)
  # `s` before a word that begins with s is a text all the same; `is` and `fs` are followed by numbers.
  if (kind ~ /^.s$/ && rest !~ /^[-0-9]/) { kind = substr(value, 1, 1); rest = substr(value, 2) }
  if (kind == "is") value = "type: INTS" fields("ints", rest)
  if (kind == "fs") value = "type: FLOATS" fields("floats", rest)
  if (kind == "i") value = "type: INT i: " rest
  if (kind == "f") value = "type: FLOAT f: " rest
  if (kind == "s") value = "type: STRING s: " quoted(rest)
  if (kind == "t") value = "type: TENSOR t { " onnx_tensor(rest) " }"
  return " attribute { name: " quoted(name) " " value " }"
}

function graphdef_tensor(text,   parts, n, i, shape, field) {
  read_tensor(text)
  n = split(dims, parts, ",")
  for (i = 1; i <= n; ++i) shape = shape " dim { size: " parts[i] " }"
  field = dtype == 1 ? "float_val" : dtype == 9 ? "int64_val" : dtype == 10 ? "bool_val" : "int_val"
  return "dtype: " dtype " tensor_shape {" shape " }" fields(field, values)
}

function graphdef_shape(list,   parts, n, i, text) {
  n = split(list, parts, ",")
  for (i = 1; i <= n; ++i) text = text " dim { size: " parts[i] " }"
  return "shape {" text " }"
}

function graphdef_attribute(name, value,   kind, rest) {
  kind = substr(value, 1, 1)
  rest = substr(value, 2)
  if (kind == "i" || kind == "f") value = kind ": " rest
  if (kind == "b") value = "b: " (rest == 1 ? "true" : "false")
  if (kind == "s") value = "s: " quoted(rest)
  if (kind == "y") value = "type: " rest
  if (kind == "h") value = graphdef_shape(rest)
  if (kind == "n") value = "func { name: " quoted(rest) " }"
  if (kind == "l") value = "list {" fields("i", substr(rest, 2)) " }"
  return " attr { key: " quoted(name) " value { " value " } }"
}

# What stands before the colon.
function given(word,   at, name, value) {
  at = match(word, /[:=]/)
  name = substr(word, 1, at - 1)
  value = substr(word, at + 1)
  if (kind == "onnx") {
    if (substr(word, at, 1) == "=") return " initializer { name: " quoted(name) " " onnx_tensor(value) " }"
    return onnx_input(name, value)
  }
  if (substr(word, at, 1) == "=")
    return " node { name: " quoted(name) " op: \"Const\"" graphdef_attribute("dtype", "y" (value + 0)) " attr { key: \"value\" value { tensor { " graphdef_tensor(value) " } } } }"
  sub(/\]$/, "", value)
  return " node { name: " quoted(name) " op: \"Placeholder\"" graphdef_attribute("dtype", "y" (value + 0)) graphdef_attribute("shape", "h" substr(value, index(value, "[") + 1)) " }"
}

# A node from words[from] to words[to].
function node(from, to,   i, op, count, domain, output, text, at) {
  op = words[from]
  count = 1
  output = "y"
  if ((at = index(op, "@")) > 0) { domain = substr(op, at + 1); op = substr(op, 1, at - 1) }
  if ((at = index(op, "/")) > 0) { count = substr(op, at + 1); op = substr(op, 1, at - 1) }
  for (i = from + 1; i <= to; ++i) {
    if (words[i] ~ /^>/) {
      output = substr(words[i], 2)
    } else if ((at = index(words[i], "=")) > 0) {
      text = text (kind == "onnx" ? onnx_attribute(substr(words[i], 1, at - 1), substr(words[i], at + 1)) : graphdef_attribute(substr(words[i], 1, at - 1), substr(words[i], at + 1)))
    } else {
      text = text " input: " quoted(words[i] == "_" ? "" : words[i])
    }
  }
  if (kind == "graphdef") return " node { name: " quoted(output) " op: " quoted(op) text " }"
  for (i = 0; i < count; ++i) {
    text = text " output: " quoted(output (i > 0 ? i : ""))
    if (output == "y") outputs = outputs " output { name: " quoted(output (i > 0 ? i : "")) " }"
  }
  return " node { op_type: " quoted(op) (domain == "" ? "" : " domain: " quoted(domain)) text " }"
}

/^#/ || NF == 0 { next }
{
  n = split($0, words, " ")
  text = outputs = ""
  for (i = kind == "onnx" ? 2 : 1; words[i] != ":"; ++i) text = text given(words[i])
  from = i + 1
  for (i = from; i <= n + 1; ++i) {
    if (i <= n && words[i] != ";") continue
    text = text node(from, i - 1)
    from = i + 1
  }
  if (kind == "graphdef") {
    print text " versions { producer: 27 } library { function { signature { name: \"f\" } node_def { name: \"a\" op: \"Relu\" } node_def { name: \"b\" op: \"While\" } node_def { name: \"c\" op: \"f\" } } }"
    next
  }
  print "ir_version: 8 opset_import { version: " words[1] " } opset_import { domain: \"local\" version: 1 } graph { name: \"seed\"" text outputs " } functions { name: \"f\" domain: \"local\" input: \"a\" input: \"b\" output: \"c\" opset_import { version: " words[1] " } node { op_type: \"Add\" input: \"a\" input: \"b\" output: \"c\" } } functions { name: \"g\" domain: \"local\" input: \"a\" output: \"c\" attribute: \"alpha\" opset_import { version: " words[1] " } node { op_type: \"LeakyRelu\" input: \"a\" output: \"c\" attribute { name: \"alpha\" ref_attr_name: \"alpha\" type: FLOAT } } }"
}
