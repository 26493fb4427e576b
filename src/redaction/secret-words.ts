/** A part of a line, from its first character to the one after its last. */
export interface Span {
  readonly from: number
  readonly to: number
}

const WORD = '\\w-'
const DOTTED = '\\w.~-'
const BASE64 = '\\w+/=.-'

/**
 * How secrets of well-known makes begin, what may follow, and how much of it at the least. Prefixes are looked for, and
 * what follows is walked through once: no pattern here can be made to try again.
 */
const MAKES: readonly (readonly [prefix: string, characters: string, atLeast: number])[] = [
  ...['AKIA', 'ASIA', 'ABIA', 'ACCA', 'AGPA', 'AIDA', 'AROA', 'ANPA', 'ANVA'].map((p) => [p, 'A-Z0-9', 12] as const),
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'].map((p) => [p, '\\w', 12] as const),
  ...[
    'glpat-',
    'gldt-',
    'glrt-',
    'glcbt-',
    'glptt-',
    'glft-',
    'glsoat-',
    'glagent-',
    'gloas-',
    'glimt-',
    'GR1348941',
  ].map((p) => [p, WORD, 12] as const),
  ...['xoxa-', 'xoxb-', 'xoxe-', 'xoxe.', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'xapp-'].map(
    (p) => [p, DOTTED, 8] as const,
  ),
  ['hooks.slack.com/services/', '\\w/', 8],
  ['hooks.slack.com/workflows/', '\\w/', 8],
  ['discord.com/api/webhooks/', '\\w/-', 8],
  ['discordapp.com/api/webhooks/', '\\w/-', 8],
  ['webhook.office.com/webhookb2/', '\\w/@-', 8],
  ...['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'].map((p) => [p, BASE64, 8] as const),
  ['AIza', WORD, 24],
  ['ya29.', DOTTED, 10],
  ['GOCSPX-', WORD, 12],
  ['1//0', WORD, 16],
  ['8Q~', DOTTED, 24],
  ['AccountKey=', BASE64, 8],
  ['SharedAccessKey=', BASE64, 8],
  ['sig=', `%${BASE64}`, 16],
  ['npm_', '\\w', 16],
  ['pypi-', WORD, 12],
  ['eyJ', BASE64, 16],
  ['AGE-SECRET-KEY-', '\\w-', 8],
  ['SG.', DOTTED, 24],
  ['key-', '\\w', 24],
  ...['dop_v1_', 'doo_v1_', 'dor_v1_', 'hf_', 'dckr_pat_', 'dckr_oat_', 'dapi', 'lin_api_', 'ATATT3', 'ATCTT3'].map(
    (p) => [p, '\\w=-', 16] as const,
  ),
  ...['shpat_', 'shpca_', 'shppa_', 'shpss_', 'glsa_', 'glc_', 'tskey-', 'PMAK-', 'NRAK-', 'sntrys_', 'rubygems_'].map(
    (p) => [p, BASE64, 12] as const,
  ),
  ...['hvs.', 'hvb.', 'hvr.', 'sk-', 'pk-lf-', 'atlasv1.'].map((p) => [p, DOTTED, 20] as const),
  [':AA', WORD, 30],
  // Forms in which passwords are kept: crypt(3), htpasswd, LDAP, argon2, PBKDF2.
  ...[
    '$1$',
    '$2a$',
    '$2b$',
    '$2x$',
    '$2y$',
    '$3$',
    '$5$',
    '$6$',
    '$7$',
    '$y$',
    '$gy$',
    '$md5',
    '$sha1$',
    '$sm3$',
    '$apr1$',
  ].map((p) => [p, '\\w./$,=+*-', 4] as const),
  ...[
    '$argon2',
    '$scrypt',
    '$pbkdf2',
    '$bcrypt',
    '$P$',
    '$H$',
    '$S$',
    'pbkdf2_sha256$',
    'pbkdf2:sha',
    'scrypt:',
    'SCRAM-SHA-',
  ].map((p) => [p, '\\w./$,=+:*-', 12] as const),
  ...[
    '{SHA}',
    '{SSHA}',
    '{MD5}',
    '{SMD5}',
    '{CRYPT}',
    '{SSHA256}',
    '{SSHA512}',
    '{SHA256}',
    '{SHA512}',
    '{PBKDF2}',
    '{ARGON2}',
  ].map((p) => [p, '\\w./$,=+{}-', 6] as const),
]

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
// The longest first: github_pat_ is no gith…, and xoxe. no xox.
const BEGINNINGS = new RegExp(
  [...MAKES]
    .map(([prefix]) => literal(prefix))
    .sort((a, b) => b.length - a.length)
    .join('|'),
  'g',
)
const FOLLOWING = new Map(
  MAKES.map(([prefix, characters, atLeast]) => [prefix, { run: new RegExp(`[${characters}]*`, 'y'), atLeast }]),
)

/** Secrets that their makers gave a form of their own. */
export function* knownMakes(line: string): Generator<Span> {
  BEGINNINGS.lastIndex = 0
  for (let found = BEGINNINGS.exec(line); found !== null; found = BEGINNINGS.exec(line)) {
    const [prefix] = found
    const form = FOLLOWING.get(prefix)
    if (form === undefined) continue
    const from = found.index
    form.run.lastIndex = from + prefix.length
    const to = from + prefix.length + (form.run.exec(line)?.[0].length ?? 0)
    if (to - from - prefix.length < form.atLeast) continue
    yield { from: isPlace(prefix) ? from + prefix.length : from, to }
    BEGINNINGS.lastIndex = to
  }
}

// Of an address or a setting only what follows it is secret.
function isPlace(prefix: string): boolean {
  return prefix.endsWith('/') || prefix.endsWith('=') || prefix.startsWith('{')
}

const RUNS = /[A-Za-z0-9+/_=-]{20,}/g
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
// A public key is what is looked for in authorized_keys and known_hosts.
const PUBLIC_KEY = /(?:^|\s)(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}|sk-[a-z0-9-]+@openssh\.com) $/

/** Words that look as if nobody had thought of them. */
export function* randomWords(line: string): Generator<Span> {
  for (const { 0: word, index } of line.matchAll(RUNS)) {
    if (word.startsWith('AAAA') && PUBLIC_KEY.test(line.slice(Math.max(0, index - 60), index))) continue
    for (const { from, to } of withoutUuids(word)) {
      const part = word.slice(from, to)
      if (part.includes('/') && !isRandom(part.replaceAll('/', ''))) continue
      if (isRandom(part)) yield { from: index + from, to: index + to }
      else yield* randomPieces(part, index + from)
    }
  }
}

/** In a path or behind a name, each piece by itself. */
function* randomPieces(word: string, at: number): Generator<Span> {
  for (const { 0: piece, index } of word.matchAll(/[A-Za-z0-9+]{20,}={0,2}/g)) {
    if (piece.length < word.length && isRandom(piece)) yield { from: at + index, to: at + index + piece.length }
  }
}

function* withoutUuids(word: string): Generator<Span> {
  let from = 0
  for (const { 0: uuid, index } of word.length < 36 ? [] : word.matchAll(UUID)) {
    if (index > from) yield { from, to: index }
    from = index + uuid.length
  }
  if (from < word.length) yield { from, to: word.length }
}

// In a random word every third or fourth character is of another kind than the one before: a small letter, a capital, a
// digit. In names, versions and paths, kinds come in stretches; that a small letter follows a capital says nothing, since
// PeopleWriteSo. How many of either are taken for the other is measured in docs/diffs.md.
const MIN_LENGTH = 16
const MIN_DISTINCT = 8
const MIN_CHANGES = 0.25
const MIN_CHANGES_OF_TWO_KINDS = 0.2
const MIN_CHANGES_OF_LETTERS = 0.4

const HEX = /^(?=.*\d)(?=.*[a-f])[0-9a-f]{32,}$|^(?=.*\d)(?=.*[A-F])[0-9A-F]{32,}$/

export function isRandom(word: string): boolean {
  if (HEX.test(word)) return true
  let [length, changes, humps, before, symbols] = [0, 0, 0, 0, 0]
  const kinds = new Set<number>()
  const distinct = new Set<number>()
  for (let index = 0; index < word.length; index++) {
    const code = word.charCodeAt(index)
    const kind = kindOf(code)
    if (kind === 0) {
      symbols++
      continue
    }
    length++
    kinds.add(kind)
    if (distinct.size < MIN_DISTINCT) distinct.add(code)
    if (before === CAPITAL && kind === SMALL) humps++
    else if (before !== 0 && before !== kind) changes++
    before = kind
  }
  if (length < MIN_LENGTH || kinds.size < 2 || distinct.size < MIN_DISTINCT) return false
  if (!kinds.has(DIGIT) && changes + humps >= MIN_CHANGES_OF_LETTERS * length) return true
  const atLeast = kinds.size === 2 && kinds.has(DIGIT) && symbols === 0 ? MIN_CHANGES_OF_TWO_KINDS : MIN_CHANGES
  return changes >= atLeast * length
}

const [SMALL, CAPITAL, DIGIT] = [1, 2, 3]

function kindOf(code: number): number {
  if (code >= 97 && code <= 122) return SMALL
  if (code >= 65 && code <= 90) return CAPITAL
  return code >= 48 && code <= 57 ? DIGIT : 0
}

/** `scheme://user:password@host`, `scheme://token@host`: passwords may hold any character that is not blank. */
export function* credentialsInUrls(line: string): Generator<Span> {
  let [end, first] = [-1, -1] // of the word, and the next @: looked for once, however many :// there are
  for (let at = line.indexOf('://'); at !== -1; at = line.indexOf('://', at + 3)) {
    const from = at + 3
    if (end < from) end = endAt(URL_END, line, from)
    if (first < from) first = line.indexOf('@', from)
    if (first === -1) return
    if (first >= end) continue
    const last = line.lastIndexOf('@', Math.min(endAt(AUTHORITY_END, line, first), end) - 1)
    const colon = line.indexOf(':', from)
    if (colon !== -1 && colon < last) {
      if (last > colon + 1) yield { from: colon + 1, to: last }
    } else if (last - from >= 12) yield { from, to: last }
    at = Math.max(at, last - 3)
  }
}

function endAt(pattern: RegExp, line: string, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(line)?.index ?? line.length
}

const URL_END = /[\s"'`<>]|$/g
const AUTHORITY_END = /[/?#]|$/g

/** Forms of a whole line, and options of programs, in which nothing is called by a name. */
export function* wellKnownPlaces(line: string): Generator<Span> {
  for (const [hint, patterns] of PLACES)
    if (hint.test(line)) for (const pattern of patterns) yield* lastOf(pattern, line)
}

/** The secret is what a match ends with. */
function* lastOf(pattern: RegExp, line: string): Generator<Span> {
  pattern.lastIndex = 0
  for (let found = pattern.exec(line); found !== null; found = pattern.exec(line)) {
    const value = found.groups?.secret ?? ''
    const to = found.index + found[0].length
    if (value !== '') yield { from: to - value.length, to }
  }
}

// Each begins with something fixed, and what repeats in it is bounded. Most lines have no hint of any.
const PLACES: readonly (readonly [hint: RegExp, patterns: readonly RegExp[]])[] = [
  [
    /:/,
    [
      // /etc/shadow: name:hash:days:…
      /^[^:\s]{1,64}:(?<secret>[^:\s!*][^:\s]{3,512})(?=:\d{0,9}:\d{0,9}:\d{0,9}:)/g,
      // ~/.pgpass: host:port:database:user:password
      /^[^:\s#]{1,255}:(?:\d{1,5}|\*):[^:\s]{1,64}:[^:\s]{1,64}:(?<secret>\S.*)$/g,
      // htpasswd by crypt(3), htdigest
      /^[\w.@-]{1,64}:(?<secret>[./0-9A-Za-z]{13})$/g,
      /^[\w.@-]{1,64}:[^:]{1,64}:(?<secret>[0-9a-f]{32})$/gi,
      // curl -u name:password, wget, sshpass -p, mysql -p…, redis-cli -a, ldapsearch -w, htpasswd -b file name password
      /\s(?:-u|--user|--proxy-user|-U)[ =]["']?[^\s:"']{1,128}:(?<secret>[^\s"']{1,512})/g,
      /\s-u["']?[^\s:"'-][^\s:"']{0,127}:(?<secret>[^\s"'/][^\s"']{0,511})/g,
      // Oracle's addresses
      /\bjdbc:oracle:\w{1,10}:[^\s/@:]{1,128}\/(?<secret>[^\s@"']{1,512})(?=@)/g,
      // ipsec.secrets, Cisco, Redis, Dovecot, Postfix
      /:\s{0,20}(?:PSK|EAP|XAUTH|PIN|NTLM)\s{1,20}(?<secret>\S.{0,511})$/g,
      /^(?:\[[^\]\s]{1,255}\](?::\d{1,5})?|\S{1,255})\s{1,20}[^\s:@]{1,128}@[^\s:]{1,128}:(?<secret>\S{1,512})$/g,
      /^\[[^\]\s]{1,255}\](?::\d{1,5})?\s{1,20}[^\s:]{1,128}:(?<secret>\S{1,512})$/g,
    ],
  ],
  [
    /passw|secret|sshpass|mysql|mariadb|xtrabackup|redis-cli|ldap|openssl|basic|bearer|negotiate|apikey|identified|createuser|community|com2sec|user\s|\{(?:PLAIN|CLEAR|CRAM)/i,
    [
      // ~/.netrc, on one line
      /\b(?:machine|default|login|account)\b.{0,300}?\bpassword\s{1,20}(?<secret>\S{1,512})/g,
      /\bsshpass\s{1,20}-p\s{0,20}(?<secret>\S{1,512})/g,
      /\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump|xtrabackup)\s[^\n]{0,300}?\s-p(?<secret>[^\s]{1,512})/g,
      /\bredis-cli\s[^\n]{0,300}?-a\s{1,20}(?<secret>\S{1,512})/g,
      /\bldap\w{3,12}\s[^\n]{0,300}?-w\s{1,20}(?<secret>\S{1,512})/g,
      /\bhtpasswd\s{1,20}-\w{0,10}b\w{0,10}\s{1,20}\S{1,300}\s{1,20}\S{1,128}\s{1,20}(?<secret>\S{1,512})/g,
      /\bopenssl\s[^\n]{0,300}?\bpass:(?<secret>\S{1,512})/g,
      // HTTP
      /\b(?:Basic|Bearer|Negotiate|ApiKey)\s{1,20}["']?(?![A-Za-z]?[a-z]{1,30}(?![\w+/=]))(?<secret>[\w+/.=~-]{8,4096})/gi,
      // SQL, snmpd.conf, kubeadm
      /\bIDENTIFIED\s{1,20}(?:WITH\s{1,20}\S{1,64}\s{1,20})?(?:BY|AS)\s{1,20}(?:PASSWORD\s{1,20})?(?<secret>'[^']{1,512}'|"[^"]{1,512}")/gi,
      /^\s{0,20}createUser\s{1,20}\S{1,64}\s{1,20}(?:MD5|SHA(?:-\d{3})?)\s{1,20}(?<secret>\S.*)$/g,
      /^\s{0,20}r[ow]community6?\s{1,20}(?<secret>\S{1,512})/g,
      /\bcom2sec6?\s{1,20}(?:-Cn\s{1,20}\S{1,64}\s{1,20})?\S{1,64}\s{1,20}\S{1,64}\s{1,20}(?<secret>\S{1,512})/g,
      /\b(?:secret|password)\s{1,20}[05789]\s{1,20}(?<secret>\S{1,512})/g,
      /\bsnmp-server\s{1,20}community\s{1,20}(?<secret>\S{1,512})/g,
      /^\s{0,20}user\s{1,20}\S{1,128}\s.{0,300}?[>#](?<secret>[^\s~&+@-]\S{0,511})/g,
      /\{(?:PLAIN|CLEAR|CLEARTEXT|PLAIN-MD5|CRAM-MD5)\}(?<secret>[^\s:]{1,512})/g,
    ],
  ],
  [
    /\./,
    [
      // kubeadm
      /\b[a-z0-9]{6}\.(?<secret>[a-z0-9]{16})(?![\w.])/g,
    ],
  ],
  [
    /"/,
    [
      // CHAP and PAP secrets of pppd: client, server, secret
      /^\s{0,20}(?:"[^"]{1,128}"|\*)\s{1,20}(?:"[^"]{1,128}"|\*)\s{1,20}(?<secret>"[^"$]{1,512}")(?=\s{0,20}(?:[*\d]|$))/g,
    ],
  ],
  [/\*/, [/^[^\s#]{1,128}\s{1,20}\*\s{1,20}(?<secret>[^\s*]{4,512})(?=\s{0,20}\*?$)/g]],
]
