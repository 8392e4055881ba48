/** What the server said with the page itself: the nonce of its policy and the brand's time zone. */

const nonceElement = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
const zoneElement = document.querySelector<HTMLMetaElement>('meta[name="shuke-time-zone"]');

export const nonce = nonceElement?.nonce ?? "";

/** Where the page comes from a server for development, which knows no zone, the reader's own. */
export const brandZone = knownZone(zoneElement?.content) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

function knownZone(name: string | undefined): string | null {
  try {
    return name ? new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone : null;
  } catch {
    return null;
  }
}

/**
 * Give each style element the nonce as it is made. The components hand it to nearly all of theirs; those that lock the
 * page behind a drawer, or measure a scroll bar, forget it.
 */
export function signStyles(): void {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- only one of its forms is
  const make: (name: string, options?: ElementCreationOptions) => HTMLElement = document.createElement.bind(document);
  Object.defineProperty(document, "createElement", {
    value: (name: string, options?: ElementCreationOptions) => {
      const made = make(name, options);
      if (made instanceof HTMLStyleElement) made.nonce = nonce;
      return made;
    },
  });
}
