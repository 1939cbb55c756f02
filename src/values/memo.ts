/**
 * `make`, called once for each text; for a text longer than `longest` each time. All answers are forgotten when there are `most`: who asks
 * for ever new ones gains nothing.
 */
export function memo<Made>(most: number, make: (text: string) => Made, longest = 512): (text: string) => Made {
  const made = new Map<string, Made>();
  return (text) => {
    if (text.length > longest) return make(text);
    const known = made.get(text);
    if (known !== undefined) return known;
    if (made.size >= most) made.clear();
    const one = make(text);
    made.set(text, one);
    return one;
  };
}
