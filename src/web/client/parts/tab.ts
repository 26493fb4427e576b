interface Shown {
  /** What the page is about; null: the fleet. */
  readonly page: string | null
  readonly targets: number
  readonly drifting: number
  readonly unknown: number
  /** This page hears of everything. Otherwise the numbers are those of before. */
  readonly isKnown: boolean
}

/** Says in the title and the icon of the browser's tab how many targets differ from Git, and whether that is known. */
export function showInTab({ page, targets, drifting, unknown, isKnown }: Shown): void {
  const count = drifting > 0 ? String(drifting) : ''
  const doubt = isKnown ? '' : '?'
  const name = page === null ? 'gitops-status' : `${page} · gitops-status`
  document.title = count + doubt === '' ? name : `(${count}${doubt}) ${name}`
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (link !== null)
    link.href = `data:image/svg+xml,${encodeURIComponent(isKnown && targets > 0 ? iconOf(drifting, unknown) : drawn('#6e7781', '?'))}`
}

function iconOf(drifting: number, unknown: number): string {
  const [colour, sign] =
    drifting > 0
      ? ['#cf222e', drifting > 99 ? '99' : String(drifting)]
      : unknown > 0
        ? ['#9a6700', '?']
        : ['#1a7f37', '✓']
  return drawn(colour ?? '', sign ?? '')
}

function drawn(colour: string, sign: string): string {
  const size = sign.length > 1 ? 34 : 44
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${colour}"/><text x="32" y="34" font-family="sans-serif" font-weight="700" font-size="${size}" fill="#fff" text-anchor="middle" dominant-baseline="central">${sign}</text></svg>`
}
