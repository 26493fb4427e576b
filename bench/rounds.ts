/** Something that is measured once in every round. */
export interface Slot<Figure> {
  readonly name: string
  measure(): Promise<Figure>
}

/**
 * Measures every slot once in each round, and every other round in the opposite order: what else the machine does
 * then hits all of them alike, and who comes first has no advantage. Resolves to each slot's figures, by round.
 */
export async function runRounds<Figure>(
  rounds: number,
  slots: readonly Slot<Figure>[],
  onMeasured: (round: number, name: string, figure: Figure) => void,
): Promise<Map<string, Figure[]>> {
  const figures = new Map<string, Figure[]>(slots.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const { name, measure } of round % 2 === 1 ? slots : slots.toReversed()) {
      const figure = await measure()
      figures.get(name)?.push(figure)
      onMeasured(round, name, figure)
    }
  }
  return figures
}
