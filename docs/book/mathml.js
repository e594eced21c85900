// Read formulas, a list of {tex, display}, and write the list of their MathML.
const fs = require("fs");
const path = require("path");

const mathjax = path.join(process.env.MATHJAX, "es5", "node-main.js");
require(mathjax)
  .init({ loader: { load: ["input/tex"] } })
  .then((MathJax) => {
    const formulas = JSON.parse(fs.readFileSync(0, "utf8"));
    const all = formulas.map(({ tex, display }) => MathJax.tex2mml(tex, { display }));
    process.stdout.write(JSON.stringify(all));
  });
