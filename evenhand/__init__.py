"""Does a language model treat one country differently from the others?"""
