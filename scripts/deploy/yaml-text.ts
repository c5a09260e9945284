/** YAML as a person would write it: texts of several lines as blocks, long sentences folded, the reason for a file on top. */
import { Document, Scalar, visit, type YAMLMap } from "yaml";

const width = 118;
const longSentence = 100;

interface Style {
  /** Lines of the comment at the top. */
  comment: readonly string[];
  /** What else is to be said or spaced, map by map. @param first of its list */
  adorn?: (map: YAMLMap, first: boolean) => void;
}

/** One document for each object. */
export const yamlText = ({ comment, adorn }: Style, ...objects: readonly object[]): string =>
  objects
    .map((object, index) => {
      const document = new Document(object, { aliasDuplicateObjects: false });
      if (index === 0) document.commentBefore = comment.map((line) => ` ${line}`).join("\n");
      visit(document, {
        Scalar(_key, node) {
          if (typeof node.value !== "string") return;
          if (node.value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
          else if (node.value.length >= longSentence) node.type = Scalar.BLOCK_FOLDED;
        },
        Map(key, node) {
          adorn?.(node, key === 0);
        },
      });
      return document.toString({ lineWidth: width });
    })
    .join("---\n");
