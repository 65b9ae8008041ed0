"""The quiz: questions with numbers of one's own, checked with partial credit and an explanation for each mistake.

bank      questions (handouts/quiz) and their answers (solutions/quiz, on the instructors' side only)
formula   arithmetic as text: what students fill in, and what answers are computed with
draw      the numbers and the order of options that one student gets
units     answers such as "12 MiB"
sheet     the TOML file that a student fills in
check     a filled-in sheet -> points and explanations
"""
