/** Says in the title and the icon of the browser's tab how many targets differ from Git. */
export function showInTab({ drifting, unknown }: { readonly drifting: number; readonly unknown: number }): void {
  document.title = drifting > 0 ? `(${drifting}) gitops-status` : 'gitops-status'
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (link !== null) link.href = `data:image/svg+xml,${encodeURIComponent(iconOf(drifting, unknown))}`
}

function iconOf(drifting: number, unknown: number): string {
  const [colour, sign] =
    drifting > 0
      ? ['#cf222e', drifting > 99 ? '99' : String(drifting)]
      : unknown > 0
        ? ['#9a6700', '?']
        : ['#1a7f37', '✓']
  const size = sign.length > 1 ? 34 : 44
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${colour}"/><text x="32" y="34" font-family="sans-serif" font-weight="700" font-size="${size}" fill="#fff" text-anchor="middle" dominant-baseline="central">${sign}</text></svg>`
}
