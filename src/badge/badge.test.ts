import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SyncStatus } from '../domain/report.ts'
import { badgeOf, type Shown, shieldsEndpointOf } from './badge.ts'
import { badgeSvg } from './badge-svg.ts'

/** Targets with these statuses, of which the first is the worst. */
function shown(statuses: SyncStatus[], overrides: Partial<Shown> = {}): Shown {
  return {
    status: statuses[0] ?? 'UNKNOWN',
    reason: statuses.length === 0 ? 'never_reported' : null,
    driftCount: 0,
    targetCount: statuses.length,
    worstCount: statuses.filter((status) => status === statuses[0]).length,
    ...{ gapCount: 0, gap: null, isKnown: true },
    ...overrides,
  }
}

describe('a badge', () => {
  const SAID: Record<string, Shown> = {
    synced: shown(['SYNCED']),
    'synced (0 of 47 watched)': shown(['SYNCED'], { gapCount: 1, gap: { done: 0, of: 47, what: 'watched' } }),
    'synced (12 of 47 checked)': shown(['SYNCED'], { gapCount: 1, gap: { done: 12, of: 47, what: 'checked' } }),
    'synced (1 of 2 in part)': shown(['SYNCED', 'SYNCED'], { gapCount: 1, gap: { done: 0, of: 47, what: 'watched' } }),
    'out of sync (2)': shown(['OUT_OF_SYNC'], { driftCount: 2 }),
    stale: shown(['UNKNOWN'], { reason: 'stale', driftCount: 2 }),
    unknown: shown(['UNKNOWN'], { reason: 'check_failed' }),
    'never reported': shown([]),
    'out of sync (2 of 4)': shown(['OUT_OF_SYNC', 'OUT_OF_SYNC', 'UNKNOWN', 'SYNCED'], { driftCount: 9 }),
    'stale (1 of 2)': shown(['UNKNOWN', 'SYNCED'], { reason: 'stale' }),
  }
  for (const [message, status] of Object.entries(SAID)) {
    it(`says "${message}"`, () => assert.equal(badgeOf(status, undefined).message, message))
  }

  it('says unknown, in the colour of nothing, while what is recorded cannot be read', () => {
    for (const status of ['SYNCED', 'OUT_OF_SYNC'] as const) {
      const { message, color } = badgeOf(shown([status], { isKnown: false }), undefined)
      assert.deepEqual([message, color], ['unknown', badgeOf(shown([]), undefined).color])
    }
  })

  it('says synced of several only when all are', () => {
    assert.equal(badgeOf(shown(['SYNCED', 'SYNCED']), undefined).message, 'synced')
  })

  it('has another colour for each status, and one for nothing', () => {
    const colors = [['SYNCED'], ['OUT_OF_SYNC'], ['UNKNOWN'], []].map(
      (statuses) => badgeOf(shown(statuses as SyncStatus[]), undefined).color,
    )
    assert.equal(new Set(colors).size, 4)
    for (const color of colors) assert.ok(contrastWithWhite(color) >= 4.5, color)
  })

  const LABELS: Record<string, string> = {
    '': 'gitops',
    ' \u0000\u202e ': 'gitops',
    'my \u0007servers\u202e': 'my servers',
    'half \ud800': 'half',
    '\u3164hid\u034fden\ufe0f': 'hidden',
  }
  for (const [given, label] of Object.entries(LABELS)) {
    it(`with the label ${JSON.stringify(given)} is labelled "${label}"`, () => {
      assert.equal(badgeOf(shown([]), given).label, label)
    })
  }

  it('cuts a label that is none', () => {
    assert.equal(badgeOf(shown([]), '\u{1f6a8}'.repeat(1_000)).label, '\u{1f6a8}'.repeat(60))
  })

  it('is what shields.io asks for', () => {
    assert.deepEqual(shieldsEndpointOf(badgeOf(shown(['SYNCED']), 'servers')), {
      schemaVersion: 1,
      label: 'servers',
      message: 'synced',
      color: '#116329',
      cacheSeconds: 300,
    })
  })
})

describe('the picture', () => {
  it('says what it shows to those who cannot see it', () => {
    const svg = badgeSvg(badgeOf(shown(['OUT_OF_SYNC'], { driftCount: 2 }), undefined))
    assert.match(svg, /role="img" aria-label="gitops: out of sync \(2\)"><title>gitops: out of sync \(2\)<\/title>/)
  })

  it('is wide enough for its words, whatever they are, and not much wider', () => {
    const printable = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n)).filter((char) => char !== ' ')
    for (const char of printable)
      assert.ok(char === '%' || widthOf(char.repeat(10)) < 120, `${char} has no width of its own`)
    // As shields.io measures it, in Verdana at 11 pixels.
    for (const [words, pixels] of Object.entries({ 'out of sync (2)': 82, 'never reported': 82.3, synced: 38.3 })) {
      assert.ok(Math.abs(widthOf(words) - pixels) <= 3, `${words}: ${widthOf(words)}`)
    }
  })

  it('takes every label for text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (label) => {
        const badge = badgeOf(shown([]), `</text><script>alert(1)</script>"'&${label}`)
        const svg = badgeSvg(badge)
        const tags = [...svg.matchAll(/<\/?([^\s>/]*)/g)].map(([, name]) => name)
        assert.deepEqual([...new Set(tags)], ['svg', 'title', 'rect', 'path', 'g', 'text'])
        assert.doesNotMatch(svg.trimEnd(), /[\u0000-\u001f\ufffe\uffff]|&(?!amp;|lt;|gt;|quot;|#39;)/)
        assert.ok(svg.isWellFormed())
      }),
    )
  })
})

/** Pixels that the picture gives to a label. */
function widthOf(label: string): number {
  return Number(/textLength="(\d+)"/.exec(badgeSvg({ label, message: '', color: '#000' }))?.[1])
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrastWithWhite(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((start) => Number.parseInt(color.slice(start, start + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
}
