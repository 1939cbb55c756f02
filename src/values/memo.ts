/**
 * `make`, called once for each text, or every time for a text longer than `longest`. All results are forgotten once there are `most`, so
 * endless new texts take no memory.
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
