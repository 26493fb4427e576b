import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type ThresholdsConfig,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
  type ValueMappingResult,
} from '@grafana/grafana-foundation-sdk/dashboard'

// One look for each thing that can be said, the same in every panel. An icon and a word beside each colour: colour is
// never the only sign. The icons are those of the status page.

export const GOOD = 'semi-dark-green'
export const DRIFT = 'semi-dark-red'
export const IGNORANCE = 'semi-dark-orange'
/** The colour of text: says nothing. */
export const CALM = 'text'

const STATUS_LOOKS = {
  OUT_OF_SYNC: { text: '✗ Out of sync', color: DRIFT },
  UNKNOWN: { text: '? Unknown', color: IGNORANCE },
  SYNCED: { text: '✓ Synced', color: GOOD },
} as const

export const STATUS = valueMap(STATUS_LOOKS)

/** For `status_code`, which series have instead of the word. */
export const STATUS_BY_CODE = valueMap({
  0: STATUS_LOOKS.SYNCED,
  1: STATUS_LOOKS.OUT_OF_SYNC,
  2: STATUS_LOOKS.UNKNOWN,
})

export const FRESHNESS = valueMap({
  FRESH: { text: '● Fresh', color: CALM },
  LATE: { text: '◐ Late', color: IGNORANCE },
  STALE: { text: '○ Stale', color: IGNORANCE },
})

export const REASON = valueMap({
  check_failed: { text: 'The check failed' },
  stale: { text: 'No report came in time' },
  never_reported: { text: 'Nothing was ever reported' },
})

export const CHANGE = valueMap({
  modified: { text: '≠ Modified' },
  missing: { text: '− Missing' },
  extra: { text: '+ Extra' },
  metadata: { text: '⚙ Mode or owner' },
})

export const EPISODE_STATE = valueMap({
  1: { text: '✗ Not repaired', color: DRIFT },
  0: { text: '✓ Repaired', color: GOOD },
})

/** Calm at none, and of a colour from one on. */
export function fromOne(color: string): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: CALM },
    { value: 1, color },
  ])
}

export function byThresholds(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds)
}

// What an override may say of a field.

export function unit(id: string): DynamicConfigValue {
  return { id: 'unit', value: id }
}

export function mappings(map: ValueMap): DynamicConfigValue {
  return { id: 'mappings', value: [map] }
}

export function colouredText(): DynamicConfigValue {
  return { id: 'custom.cellOptions', value: { type: 'color-text' } }
}

export function width(pixels: number): DynamicConfigValue {
  return { id: 'custom.width', value: pixels }
}

export function noValue(text: string): DynamicConfigValue {
  return { id: 'noValue', value: text }
}

export function fixedColor(color: string): DynamicConfigValue {
  return { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: color } }
}

export function thresholds(builder: { build(): ThresholdsConfig }): DynamicConfigValue {
  return { id: 'thresholds', value: builder.build() }
}

function valueMap(looks: Readonly<Record<string, ValueMappingResult>>): ValueMap {
  const options = Object.entries(looks).map(([value, look], index) => [value, { ...look, index }])
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) }
}
