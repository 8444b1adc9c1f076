class BrowserSound { constructor(send) {} handle() {} close() {} }
