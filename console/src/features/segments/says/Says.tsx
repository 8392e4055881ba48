/** A statement as a sentence whose parts can be pressed and changed. */
import type { ReactNode } from "react";

import { surveysOf } from "../statements";
import type { Statement } from "../tree";

import { OfAnswered, OfSpending } from "./Attitudes";
import { OfDid, OfMeasured, OfMoved } from "./Happened";
import { OfAttribute, OfConsent, OfFigure, OfIdentity, OfNear, OfTag } from "./Known";
import { OfOthers, OfShare, OfTop } from "./Others";
import type { Props } from "./parts";
import { OfSequence } from "./Sequence";

export function Says(props: Props<Statement>): ReactNode {
  const { says, ...rest } = props;
  switch (says.node) {
    case "attribute":
      return <OfAttribute says={says} {...rest} />;
    case "figure":
      return <OfFigure says={says} {...rest} />;
    case "tag":
      return <OfTag says={says} {...rest} />;
    case "identity":
      return <OfIdentity says={says} {...rest} />;
    case "near":
      return <OfNear says={says} {...rest} />;
    case "consent":
      return <OfConsent says={says} {...rest} />;
    case "did":
      return <OfDid says={says} {...rest} />;
    case "measured":
      if (surveysOf(says)) return <OfAnswered says={says} {...rest} />;
      return says.by === "share" ? <OfSpending says={says} {...rest} /> : <OfMeasured says={says} {...rest} />;
    case "moved":
      return <OfMoved says={says} {...rest} />;
    case "sequence":
      return <OfSequence says={says} {...rest} />;
    case "segment":
    case "list":
      return <OfOthers says={says} {...rest} />;
    case "share":
      return <OfShare says={says} {...rest} />;
    case "top":
      return <OfTop says={says} {...rest} />;
  }
}
