// Draws soon, and at most once in kDrawMs however much arrives. A timer, not an animation frame: a
// page in the background gets no frames, and would fall behind.

const kDrawMs = 50;

export function scheduler(draw: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      draw();
    }, kDrawMs);
  };
}
