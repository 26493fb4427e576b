import { isHarmlessValue, isSecretName, isSwitch, MAY_HOLD_A_NAME } from './secret-names.ts'
import { credentialsInUrls, knownMakes, randomWords, type Span, wellKnownPlaces } from './secret-words.ts'

/** What stands in the place of a secret, with a fingerprint of it or without. */
const MARK = /‹redacted(?:[ ·][0-9a-f]{4})?›/g
const MARK_ALONE = new RegExp(`^[\\s"'\`#*+,;\\\\]{0,100}${MARK.source}[\\s"'\`+,;.\\\\]{0,20}$`)
const MARK_HERE = new RegExp(MARK.source, 'y')

/** What the lines before leave open. */
type Open =
  /** A secret that began with this quote goes on up to it. */
  | { readonly kind: 'quoted'; readonly end: string }
  /** A line ended in a backslash or a plus. */
  | { readonly kind: 'continued' }
  /** What is further in than the name is its value, as in YAML. */
  | { readonly kind: 'indented'; readonly indent: number; readonly name: string }
  /** Whatever comes, up to a tag's end. */
  | { readonly kind: 'element' }
  /** A secret's name was given as a value (`name: DB_PASSWORD`); its value comes under a key of its own. */
  | Named
  /** A key or a certificate, from its first line to its last. */
  | { readonly kind: 'armor' }
  /** Lines of one long word. */
  | { readonly kind: 'blob' }

interface Named {
  readonly kind: 'named'
  readonly name: string
  readonly lines: number
}

const NAME = /[A-Za-z0-9_][A-Za-z0-9_.-]*/g
const ARMOR_BEGINS =
  /-----BEGIN [A-Z0-9 ]{2,60}-----|---- BEGIN SSH2 [A-Z0-9 ]{2,60}----|PuTTY-User-Key-File-\d|Private-Lines: \d/
const ARMOR_ENDS = /-----END [A-Z0-9 ]{2,60}-----|---- END SSH2 [A-Z0-9 ]{2,60}----|Private-MAC:/
const VAULT_BEGINS = /\$ANSIBLE_VAULT;/
const BLOB_LINE = /^[A-Za-z0-9+/=_-]+$/
// What an encrypted key, and one of PuTTY's, says of itself.
const ARMOR_HEADER = /^[A-Z][A-Za-z0-9-]{2,30}: .{0,200}$/
const MIN_BLOB = 40
// A name, what separates, and a secret of some length.
const SHORTEST = 6
const NONE: readonly Span[] = []
// `value` may stand a few lines away from `name`.
const NAMED_LINES = 4

/** What lines say by themselves, whatever stands before them: for texts that have many lines in common. */
export type Known = Map<string, readonly Span[]>

/** Where secrets are, line by line, in a text that is read from its beginning, or from somewhere in it. */
export function secretSpans(lines: readonly string[], known: Known = new Map()): (readonly Span[])[] {
  let open: Open | null = null
  const all: (readonly Span[])[] = []
  for (const [number, raw] of lines.entries()) {
    // The blank in a mark is no end of a word.
    const line = raw.includes('‹') ? raw.replace(/(?<=‹redacted) (?=[0-9a-f]{4}›)/g, '·') : raw
    if (open === null && line.length < SHORTEST) {
      all.push(NONE)
      continue
    }
    const read: Reading = readLine(line, open, known)
    open = read.open
    if (ARMOR_ENDS.test(line) && !read.wasArmor) redactBackwards(lines, all, number)
    all.push(tidy(line, read.spans))
  }
  return all
}

interface Reading {
  readonly spans: Span[]
  readonly open: Open | null
  readonly wasArmor?: boolean
}

function readLine(line: string, open: Open | null, known: Known): Reading {
  const spans: Span[] = []
  const body = bodyOf(line)
  let from = 0

  // A line that is redacted already ends nothing.
  if ((open?.kind === 'armor' || open?.kind === 'blob') && MARK_ALONE.test(line)) return { spans, open, wasArmor: true }
  if (open?.kind === 'armor') {
    if (ARMOR_ENDS.test(line))
      return { spans: [...beforeEnd(line), ...secretsIn(line, known).spans], open: null, wasArmor: true }
    if (isArmor(line, body)) return { spans: [body], open, wasArmor: true }
  }
  if (open?.kind === 'blob' && BLOB_LINE.test(line.slice(body.from, body.to))) return { spans: [body], open }
  if (open?.kind === 'quoted') {
    const end = line.indexOf(open.end)
    if (end === -1) return { spans: [body], open }
    spans.push({ from: body.from, to: Math.max(end, body.from) })
    from = end + open.end.length
  } else if (open?.kind === 'continued') {
    return { spans: [body], open: continues(line) ? open : null }
  } else if (open?.kind === 'element') {
    const end = line.indexOf('</')
    if (end === -1) return { spans: [body], open }
    spans.push({ from: body.from, to: Math.max(end, body.from) })
    from = end
  } else if (open?.kind === 'indented') {
    if (line.trim() === '') return { spans, open }
    // A list may stand as far out as its name.
    const isInside = body.indent > open.indent || (body.indent === open.indent && /^\s*- /.test(line))
    if (isInside) return { spans: [...valueOnly(line, body, open.name), ...secretsIn(line, known).spans], open }
  }

  const here = secretsIn(line, known, from, open?.kind === 'named' ? open : null)
  return { spans: [...spans, ...here.spans], open: here.open }
}

interface Body extends Span {
  readonly indent: number
}

/** A line without its indentation, and the commas and quotes of a list round what it says. */
function bodyOf(line: string): Body {
  const indent = line.length - line.trimStart().length
  let from = indent
  let to = line.trimEnd().length
  while (from < to && `"'\`#*`.includes(line[from] ?? '')) from++
  while (to > from && `"'\`,;\\`.includes(line[to - 1] ?? '')) to--
  return { from, to, indent }
}

/** A line of a key, also as a program's text or a comment has it: quoted, joined by + or a dot, with a written \\n. */
function isArmor(line: string, { from, to }: Span): boolean {
  const text = line
    .slice(from, to)
    .replace(/^(?:\/\/|[|>.+])\s+/, '')
    .replace(/(?:\\r)?\\n["'`]?(?:\s*[+.])?$/, '')
  return text === '' || BLOB_LINE.test(text) || ARMOR_HEADER.test(text)
}

/** Of `key: value` below a secret name the value, of anything else all of it. */
function valueOnly(line: string, body: Body, name: string): Span[] {
  const key =
    /^\s*(?:- +)?["']?[\w./-]{1,100}["']?\s{0,20}[:=](?=\s|$)\s*/.exec(line)?.[0] ?? /^\s*- +/.exec(line)?.[0] ?? ''
  const from = Math.max(key.length, key === '' ? body.from : 0)
  const to = line.trimEnd().length
  const value = line.slice(from, to).replace(/^["']|["',]+$/g, '')
  return from >= to || isHarmlessValue(name, value) ? [] : [{ from, to }]
}

/** What is left of a key on the line of its end. */
function* beforeEnd(line: string): Generator<Span> {
  const body = bodyOf(line)
  const end = line.search(ARMOR_ENDS)
  if (end > body.from) yield { from: body.from, to: end }
}

/** Everything on one line that can be known from it alone, and what it leaves open. */
function secretsIn(line: string, known: Known, from = 0, named: Named | null = null): Reading {
  const spans = [...byThemselves(line, known)]
  const values = namedValues(line, from, named)
  spans.push(...values.spans)

  const armor = line.includes('-') ? ARMOR_BEGINS.exec(line) : null
  if (armor !== null) {
    const begun = armor.index + armor[0].length
    const ended = ARMOR_ENDS.exec(line.slice(begun))
    const to = ended === null ? line.trimEnd().length : begun + ended.index
    if (to > begun) spans.push({ from: begun, to })
    if (ended === null) return { spans, open: { kind: 'armor' } }
  }
  if (VAULT_BEGINS.test(line)) return { spans, open: { kind: 'blob' } }
  if (values.open !== null && !(values.open.kind === 'named' && values.open.lines <= 0))
    return { spans, open: values.open }
  const body = bodyOf(line)
  const isBlob = body.to - body.from >= MIN_BLOB && BLOB_LINE.test(line.slice(body.from, body.to))
  if (isBlob && spans.some((span) => span.from <= body.from && span.to >= body.to))
    return { spans, open: { kind: 'blob' } }
  return { spans, open: null }
}

function byThemselves(line: string, known: Known): readonly Span[] {
  const before = known.get(line)
  if (before !== undefined) return before
  const spans = [...knownMakes(line), ...randomWords(line), ...credentialsInUrls(line), ...wellKnownPlaces(line)]
  known.set(line, spans)
  return spans
}

// ---------------------------------------------------------------- names and what follows them

// Closing quotes and brackets of the name, then what separates it from its value.
const SEPARATOR = /[\\"'`\])}]{0,4}\s*(?:=>|:=|\+=|==?|::?|\((?=\s*\\?["'`]))\s*/y
const COMMA = /[\\"'`\])}]{0,4}\s*,\s*(?=\\?["'`])/y
const ELEMENT = /\\?["']?\s*>/y
const CDATA = /\s*<!\[CDATA\[/y
const BLANK = /\s+/y
const QUOTE = /\\*["'`]{1,3}/y
const LINE_BEGIN =
  /^[\s\-*+#;:/<."'{[(!$@%]*(?:(?:variable|export|set|setenv|env|declare|local|readonly|ENV|ARG|var|let|const|final|static|public|private|option|define|string|char|enable)\s+(?:-\w+\s+)?)?[\s"'{[(<$@]*$/
const VALUE_KEY = /^(?:value|values|content|default|data|stringvalue|val)$/i
const NAMING = /\b(?:name|key|id|variable|param|parameter|setting)["']?\s*[:=]\s*["']?$/i
const VARIABLE = /^\s*variable\s+"?$/
const BLOCK_BEGINS = /"?\s*\{\s*$/y
const NAMED_ENDS = /\\?["']?(?:[\s,}/]|$)/y
const BLOCK = /\s*(?:[&!][\w!-]+\s+)*(?:[|>][-+0-9]*\s*(?:#.*)?|[&!][\w!-]+\s*|[[{]\s*)$/y
// Of `password = # x` nobody knows whether it is a comment: the value may be below all the same.
const NOTE = /#\s/y
const COMMENT = /^\s*(?:#|\/\/|;|\*)/
/** So much of what is before a name says what the name is. */
const BEFORE = 60

function namedValues(line: string, from: number, open: Named | null): { spans: Span[]; open: Open | null } {
  const spans: Span[] = []
  let named = open
  if (named === null && !MAY_HOLD_A_NAME.test(line)) return { spans, open: null }
  // What the line alone says is found out once, however many names are on it.
  const lineEnd = line.trimEnd().length
  const isComment = COMMENT.test(line)
  NAME.lastIndex = from
  for (let found = NAME.exec(line); found !== null; found = NAME.exec(line)) {
    const [word] = found
    const isValueOfNamed = named !== null && VALUE_KEY.test(word)
    if (!isValueOfNamed && !isSecretName(word)) continue
    const begin = found.index
    const end = begin + word.length
    const name = isValueOfNamed && named !== null ? named.name : word
    const before = line.slice(Math.max(0, begin - BEFORE), begin)

    const element = matchAt(ELEMENT, line, end)
    if (element !== null && /<[^>]*$/.test(before)) {
      const data = matchAt(CDATA, line, element)
      const close = line.indexOf(data === null ? '<' : ']]>', data ?? element)
      const value = { from: data ?? element, to: close === -1 ? line.length : close }
      if (!isHarmless(line, value, name)) spans.push(value)
      if (close === -1) return { spans, open: { kind: 'element' } }
      NAME.lastIndex = value.to
      continue
    }
    if (!isValueOfNamed && NAMING.test(before) && matchAt(NAMED_ENDS, line, end) !== null) {
      named = { kind: 'named', name, lines: NAMED_LINES }
      continue
    }

    const isFirst = begin <= BEFORE && LINE_BEGIN.test(before)
    // HCL: the value is the default in the block of the variable.
    if (isFirst && VARIABLE.test(before) && matchAt(BLOCK_BEGINS, line, end) !== null)
      return { spans, open: { kind: 'indented', indent: indentOf(line), name } }
    const isOption = /(?:^|\s)--?$/.test(before)
    const at = valueAt(line, end, { mayBeDirective: isFirst || isOption, isComment })
    if (at === null) continue
    if (at.isSeparated && isFirst && (at.from >= lineEnd || matchAt(BLOCK, line, at.from) !== null)) {
      return { spans, open: { kind: 'indented', indent: indentOf(line), name } }
    }
    const around = line[begin - 1] ?? ''
    const isInQuotes = `"'\``.includes(around) && around !== '' && line[end] !== around
    const upTo = isInQuotes ? around : isFirst ? 'line' : 'word'
    const read = readValue(line, at.from, { upTo, name, isDirective: !at.isSeparated, isItem: at.isItem, lineEnd })
    if (read.span !== null) spans.push(read.span)
    if (isValueOfNamed) named = null
    if (at.isSeparated && isFirst && read.open === null && matchAt(NOTE, line, at.from) !== null)
      return { spans, open: { kind: 'indented', indent: indentOf(line), name } }
    if (read.open !== null) return { spans, open: read.open }
    NAME.lastIndex = Math.max(read.next, end)
  }
  return { spans, open: named === null ? null : { ...named, lines: named.lines - 1 } }
}

/** How far in the name stands, behind the dashes of lists. */
function indentOf(line: string): number {
  return /^\s*(?:- +)*/.exec(line)?.[0].length ?? 0
}

/** Where the value of a name begins; null when the name has none. */
function valueAt(
  line: string,
  end: number,
  { mayBeDirective, isComment }: { readonly mayBeDirective: boolean; readonly isComment: boolean },
) {
  const separated = matchAt(SEPARATOR, line, end)
  if (separated !== null) return { from: separated, isSeparated: true, isItem: false }
  const item = matchAt(COMMA, line, end)
  if (item !== null) return { from: item, isSeparated: true, isItem: true }
  const from = matchAt(BLANK, line, end)
  if (from === null || from >= line.length) return null
  const isQuoted = `"'\``.includes(line[from] ?? '')
  // `requirepass x`, `--password x`, PASSWORD 'x'; not "the password of …".
  return isQuoted || (mayBeDirective && !isComment && !isProse(line, from))
    ? { from, isSeparated: false, isItem: false }
    : null
}

// A sentence goes on with small words; a setting, as a rule, does not.
function isProse(line: string, at: number): boolean {
  return /^[a-z]{1,12}\s+[a-z]{1,12}\s+[a-z]/.test(line.slice(at, at + 60))
}

interface Value {
  readonly span: Span | null
  readonly open: Open | null
  /** Where reading goes on. */
  readonly next: number
}

interface How {
  /** What ends a value that is not quoted: the line, a blank, or the quote in which name and value stand together. */
  readonly upTo: string
  readonly name: string
  /** Only a blank is between name and value. */
  readonly isDirective: boolean
  /** Only a comma is. */
  readonly isItem: boolean
  /** Where the line ends but for blanks. */
  readonly lineEnd: number
}

function readValue(line: string, from: number, { upTo, name, isDirective, isItem, lineEnd }: How): Value {
  const mark = matchAt(MARK_HERE, line, from)
  if (mark !== null) return behindMark(line, mark, { upTo, lineEnd })

  QUOTE.lastIndex = from
  const quote = QUOTE.exec(line)?.[0]
  if (quote !== undefined && quote !== upTo) {
    if (quote.length === 2 && quote[0] === quote[1]) return { span: null, open: null, next: from + 2 }
    const begin = from + quote.length
    const close = closingQuote(line, begin, quote)
    if (close === -1) {
      const span = { from: begin, to: lineEnd }
      return { span: span.to > begin ? span : null, open: { kind: 'quoted', end: quote }, next: line.length }
    }
    const after = close + quote.length
    const rest = line.slice(after)
    // A key of its own, as in {"name": …, "value": …}.
    if (isItem && /^\s*(?::|=>)/.test(rest)) return { span: null, open: null, next: from }
    // "abc"def and "abc" + "def" are one secret.
    const isWhole = upTo !== 'line' ? /^(?:\W|$)/.test(rest) : /^\s*(?:[,;)}\]&|>#\\/]|$)/.test(rest)
    // Of one that is not whole the opening quote goes, too: nothing would close it.
    const end = upTo === 'line' ? lineEnd : endOfWord(line, after)
    const span = isWhole ? { from: begin, to: close } : { from, to: end }
    const open: Open | null = continues(line) && /^\s*[+.\\&]*\s*\\?$/.test(rest) ? { kind: 'continued' } : null
    return { span: isHarmless(line, span, name) ? null : span, open, next: Math.max(after, span.to) }
  }

  const to = upTo === 'line' ? lineEnd : upTo === 'word' ? endOfWord(line, from) : endOfQuoted(line, from, upTo)
  const span = { from, to: Math.min(to, lineEnd) }
  if (span.to <= from || isHarmless(line, span, name)) return { span: null, open: null, next: span.to }
  if (isDirective && isSwitched(line.slice(from, from + 80), name))
    return { span: null, open: null, next: endOfWord(line, from) }
  return { span, open: continues(line) && span.to >= lineEnd ? { kind: 'continued' } : null, next: span.to }
}

/** Anybody can write a mark: what is joined to it belongs to the value. */
function behindMark(line: string, mark: number, { upTo, lineEnd }: Pick<How, 'upTo' | 'lineEnd'>): Value {
  const to = upTo === 'line' ? lineEnd : upTo === 'word' ? endOfWord(line, mark) : endOfQuoted(line, mark, upTo)
  const span = { from: mark, to: Math.min(to, lineEnd) }
  if (!/^[\w‹]/.test(line.slice(mark, mark + 1))) return { span: null, open: null, next: mark }
  return { span, open: null, next: Math.max(span.to, mark) }
}

/** `PasswordAuthentication no # for everybody`, and PAM's `password required pam_unix.so`. */
function isSwitched(text: string, name: string): boolean {
  const [first = ''] = text.split(/\s/, 1)
  return isSwitch(first) || /^\[\w+=/.test(first) || (isHarmlessValue(name, first) && /^\S+\s*(?:[#;{]|$)/.test(text))
}

function closingQuote(line: string, from: number, quote: string): number {
  // Escaped or tripled, a quote ends at the next one like it.
  if (quote.length > 1) return line.indexOf(quote, from)
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\') at++
    else if (line[at] === quote) {
      if (line[at + 1] !== quote) return at
      at++ // a doubled quote stands for one
    }
  }
  return -1
}

const WORD_END = /[\s"'`]|$/g

function endOfWord(line: string, from: number): number {
  WORD_END.lastIndex = from
  return WORD_END.exec(line)?.index ?? line.length
}

function endOfQuoted(line: string, from: number, quote: string): number {
  const close = closingQuote(line, from, quote)
  return close === -1 ? line.length : close
}

function continues(line: string): boolean {
  return /[\\+]\s*$/.test(line.slice(-40))
}

function isHarmless(line: string, { from, to }: Span, name: string): boolean {
  return isHarmlessValue(name, line.slice(from, to))
}

/** Where a match at this place ends; null when there is none. */
function matchAt(pattern: RegExp, line: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(line) ? pattern.lastIndex : null
}

// ---------------------------------------------------------------- putting it together

/** The lines before the end of a key whose beginning is not there. Each line is walked over once: what was redacted ends it. */
function redactBackwards(lines: readonly string[], all: (readonly Span[])[], end: number): void {
  for (let number = end - 1; number >= 0; number--) {
    const line = lines[number] ?? ''
    const body = bodyOf(line)
    if (body.to === body.from || ARMOR_ENDS.test(line) || !isArmor(line, body)) return
    all[number] = tidy(line, [body])
  }
}

/** In order, without overlaps, and never a part of what is redacted already. */
function tidy(line: string, spans: readonly Span[]): readonly Span[] {
  if (spans.length === 0) return NONE
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    if (to <= from) continue
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  if (!line.includes('‹')) return merged
  return [...withoutMarks(line, merged)]
}

/** What is between marks, where that is more than punctuation. Both are in order, so each is looked at once. */
function* withoutMarks(line: string, spans: readonly Span[]): Generator<Span> {
  const marks = [...line.matchAll(MARK)].map(({ 0: text, index }) => ({ from: index, to: index + text.length }))
  let next = 0
  for (const { from, to } of spans) {
    let at = from
    let isCut = false
    for (; next < marks.length && (marks[next]?.from ?? 0) < to; next++) {
      const mark = marks[next]
      if (mark === undefined || mark.to <= from) continue
      if (isWorthAMark(line, at, mark.from)) yield { from: at, to: mark.from }
      at = mark.to
      isCut = true
    }
    if (isCut ? isWorthAMark(line, at, to) : to > at) yield { from: at, to }
    if (at > to) next-- // it reaches into the next span
  }
}

function isWorthAMark(line: string, from: number, to: number): boolean {
  return to > from && /[^\s"'`,;)}\]\\+]/.test(line.slice(from, to))
}

/** Both of two lists of spans of one line. */
export function joinSpans(line: string, a: readonly Span[], b: readonly Span[]): readonly Span[] {
  return tidy(line, [...a, ...b])
}
