# complete.zsh FOLDER LINE: what zsh offers for that line, a word a line, with the completions in FOLDER and no others of
# ours. Completion needs a terminal: it is a zsh in one of its own.
zmodload zsh/zpty
zpty inner zsh -f -i
inner() { zpty -w inner "$1" }
inner "PS1= PS2= fpath=(${(q)1} \$fpath); stty -echo; autoload -Uz compinit; compinit -u -D"
# What is added is told, in the place of being shown.
inner 'compadd() {
  local -a found
  if [[ " $* " == *" -[OAD] "* ]]; then builtin compadd "$@"; return; fi
  builtin compadd -A found "$@"
  print -rl -- "" "+"$^found
}'
inner "bindkey '^I' complete-word"
inner 'told() { print -r -- "-end"; zle -I; }; zle -N told; bindkey "^X^T" told; print -r -- "-ready"'
zpty -r -m inner line '*-ready*'
zpty -w -n inner "$2"$'\t'$'\C-x\C-t'
zpty -r -m inner line '*-end*'
zpty -d inner
for found in ${(uf)${line//$'\r'/}}; do
  [[ $found != +?* ]] || print -r -- ${found#+}
done
