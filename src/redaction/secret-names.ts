// Which names say that a secret follows. In doubt it does: a value too many costs a reader a look at the server, a value
// too few cannot be called back.

/** Anywhere in a name. */
const SECRET_PART =
  /pass(?:word|wd|wort|phrase|code|key)|pwd|secret|token|credential|api[-_.]?key|private[-_.]?key|(?:access|account|auth|client|cipher|crypt|data|encrypt|encryption|hmac|license|master|preshared|pre[-_]shared|secret|service|session|shared|sign|signing|storage|tls|tsig|webhook|wep)[-_.]?key|connection[-_.]?string|webhook|authorization|psk|community|masterauth|requirepass|x-auth|bearer|sas[-_]?url/i

/** As a whole word of a name: `db_pass`, `dbPass` and `rootpw` are such words, `compass` and `bypass` are not. */
const SECRET_WORD =
  /(?:^|[^a-z])(?:pass|pw|psk|salt|cookie|cookies|otp|totp|hmac|dsn|jwt)(?:$|[^a-z])|[a-z0-9](?:Pass|Pw|Salt|Cookie|Otp|Dsn|Jwt)(?:$|[^a-z])|(?:root|bind|user|admin|manager|db|ldap|olcroot)pw$|(?:^|[a-z])pass$/

// `compass` ends like `dbpass`.
const NO_SECRET =
  /(?:by|com|en[-_]?com|tres|sur|over|under|multi|single|two|one|low|high|band|all)pass$|^first[-_]?pass$/i

/** Names longer than this were not thought of by people. */
const MAX_NAME_LENGTH = 200

/** Whether a line is worth looking for names in: most are not. */
export const MAY_HOLD_A_NAME =
  /pass|pwd|pw\b|secret|token|credential|key|cookie|salt|psk|otp|hmac|dsn|jwt|webhook|authorization|x-auth|community|bearer|connection|sas/i

export function isSecretName(name: string): boolean {
  const end = name.slice(-MAX_NAME_LENGTH)
  if (SECRET_PART.test(end)) return true
  return (SECRET_WORD.test(end) || SECRET_WORD.test(end.toLowerCase())) && !NO_SECRET.test(end)
}

/** What a name says besides: how long a password must be, or where it lies. Then a number or a path is no secret. */
const ABOUT =
  /(?:age|attempts|bits|count|days|dir|directory|enabled|endpoint|expires?|expiry|file|files|format|history|iterations|len|length|lifetime|limit|max|min|minlen|mode|path|policy|port|quality|retries|rotation|rounds|size|store|timeout|tries|ttl|type|version|warn|warnage|days?)$/i

const NUMBER = /^\d{1,7}(?:ms|s|m|h|d|w|[kKmMgG]i?[bB]?)?$/

/** Words with which a setting is switched. */
const SWITCH =
  /^(?:yes|no|true|false|on|off|none|null|nil|never|always|disabled?|enabled?|require[ds]?|optional|requisite|sufficient|include|substack|default|auto|empty|undefined|prompt|ask|0|1|~|\*|\[\]|\{\})[,;)}\]]*$/i

export function isSwitch(value: string): boolean {
  return SWITCH.test(value)
}

/** Where a value comes from, instead of the value. */
const REFERENCE =
  /^(?:\{\{[^{}"']*\}\}|\$\{[A-Z][A-Z0-9_]*\}|\$\{\{[^{}"']*\}\}|<[a-z][a-z _-]*>|!vault \|?|[|>][-+0-9]*|\d{1,5}\/(?:tcp|udp).*)$/

const PATH =
  /^~?\/(?:etc|usr|var|run|opt|srv|home|root|dev|proc|tmp|mnt|data|snap|lib|private)(?:\/[A-Za-z0-9@._%+-]{1,64}){1,12}\/?[,;)}\]]*$/

// nsswitch.conf has a line for the database `passwd`.
const SOURCES =
  /^(?:\s*(?:files|systemd|compat|ldap|sss|sssd|nis|nisplus|db|dns|winbind|extrausers|cache|myhostname|\[[A-Za-z!=]+\]))+\s*$/

/** Whether a value of a secret name can be shown. */
export function isHarmlessValue(name: string, value: string): boolean {
  const short = value.trim()
  if (short.length < 2 || SWITCH.test(short) || REFERENCE.test(short)) return true
  if (short.length > 1_000) return false
  if (ABOUT.test(name) && (NUMBER.test(short) || PATH.test(short))) return true
  if (PATH.test(short) && !isLikelyKey(short)) return true
  return /^(?:passwd|shadow|gshadow)$/i.test(name) && SOURCES.test(short)
}

// A key in base64 may begin like a path.
function isLikelyKey(path: string): boolean {
  return path
    .split('/')
    .some((part) => part.length >= 20 && /[A-Z]/.test(part) && /[a-z]/.test(part) && /\d/.test(part))
}
