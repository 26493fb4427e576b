import Type from 'typebox'
import { inForm } from './field-problem.ts'
import { MAX_FILE_NAME_LENGTH, MAX_FILES, MAX_LINK_LENGTH, MAX_SHORT_TEXT_LENGTH, MAX_TEXT_LENGTH } from './limits.ts'
import { isTime } from './time.ts'

// What the schemas of a report are made of. Each field says what it is, and what it means that it is left out; its limits
// stand beside that as keywords, and docs/api.md is written from both. A form is told twice: here, and to whoever breaks it.

// Names end up in URLs, metric labels, badges and log lines. The rule leaves room for host names, addresses and
// "owner/name", and keeps out whatever would need escaping anywhere. No space: see targetKey.
export function name(description: string) {
  return Type.String({
    pattern: '^[A-Za-z0-9_][A-Za-z0-9._/:@-]{0,252}$',
    description: `${description} ${inForm('1 to 253 letters, digits and any of . _ - / : @, beginning with a letter, a digit or _')}`,
  })
}

export function time(description: string) {
  return Type.Refine(
    Type.String({ maxLength: 40, description: `${description} RFC 3339 with a zone.` }),
    isTime,
    () => 'must be a time that exists, with a zone, such as 2026-04-21T10:30:00Z',
  )
}

export function link(description: string) {
  return Type.String({
    pattern: '^https?://[^\\s"<>]+$',
    maxLength: MAX_LINK_LENGTH,
    description: `${description} ${inForm('a URL that begins with https:// or http://')}`,
  })
}

// NUL and lone surrogates cannot be stored or sent on by everything that a report passes (PostgreSQL, UTF-8). Whoever
// has such bytes in a name escapes them in `name` and sends the raw ones in `name_base64`.
export function text(limits: { minLength?: number; maxLength: number }, description: string) {
  return Type.Refine(
    Type.String({ ...limits, description }),
    (value) => value.isWellFormed() && !value.includes('\u0000'),
    () => 'must not contain U+0000 or half of a surrogate pair',
  )
}

export function shortText(description: string) {
  return text({ maxLength: MAX_SHORT_TEXT_LENGTH }, description)
}

export function longText(description: string) {
  return text({ maxLength: MAX_TEXT_LENGTH }, description)
}

export function fileName(description: string) {
  return text({ minLength: 1, maxLength: MAX_FILE_NAME_LENGTH }, description)
}

export function wholeNumber(description: string, maximum = Number.MAX_SAFE_INTEGER) {
  return Type.Integer({ minimum: 0, maximum, description })
}

export function tasks(description: string) {
  return Type.Array(
    Type.Object({
      name: longText('The task, or the file. A secret in it is redacted.'),
      reason: shortText('Why. A secret in it is redacted.'),
    }),
    { maxItems: MAX_FILES, description },
  )
}

export function fileFacts(description: string) {
  return Type.Object(
    {
      sha256: Type.Optional(
        Type.String({
          pattern: '^[0-9a-f]{64}$',
          description: `The digest of its content. Left out when it is not known, or there is none. ${inForm('64 hexadecimal digits in lower case')}`,
        }),
      ),
      mode: Type.Optional(
        Type.String({
          pattern: '^[0-7]{4}$',
          description: `Its permissions. Left out when they are not known. ${inForm('four octal digits, such as 0644')}`,
        }),
      ),
      owner: Type.Optional(shortText('The user that it belongs to, by name or number. Left out when it is not known.')),
      group: Type.Optional(
        shortText('The group that it belongs to, by name or number. Left out when it is not known.'),
      ),
      type: Type.Optional(shortText('What it is, such as file, directory or link. Left out when it is not known.')),
    },
    { description },
  )
}
